"""The report: what it says is decided once (``model``), and written twice, as one HTML file and as Markdown."""
