"""Reporting: figures and tables in which a person reads ``agreement.parquet``; ``panels`` gathers what they show."""
