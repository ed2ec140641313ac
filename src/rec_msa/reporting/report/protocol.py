"""The protocol in short: who knows what, who is measured, and why these."""

from __future__ import annotations

from rec_msa.reporting.names import ATTACKS_IN_WORDS
from rec_msa.reporting.report.model import Body, Bullets, Cell, Paragraph, Section, Table

_STEPS = (
    "Half of the users are the **target data**: a recommender, the target, is trained on them. The other half, which "
    "has no user in common with it, is what an attacker may have beside: the **auxiliary data**.",
    "A tenth of the target's users are the **attacker users**: the attacker knows what they did. A fifth of "
    "these (in Table 8 a quarter) are "
    "**held out**: the target is never asked about them. For the others it answers once each, with a list of 50 items.",
    "The attacker builds a **clone** from what it knows, and lets the answers correct it. **Agreement** at 50 "
    "(Agr@50) is the share of the target's 50 items for a user that the clone recommends too.",
    "Everything is done with five seeds, which draw other users, other splits and other starts. Settings were chosen "
    "on ml-100k and on seeds from 100 up. Four were changed after reported seeds had been run, and what they touch was "
    "run again or is a dash until it is: how the steal stage learns and when it ends, the held-out share of Table 8, "
    "what `qsd`'s clones of sequential targets stop by, and the patience of all trainings on Ta-Feng.",
)
_HELDOUT = (
    "The paper does not say on whom it measures. A list that the target handed out can simply be kept: a cache "
    "agrees on it by 1.000 without having learnt anything. So agreement with asked users shows what was stored, "
    "and only users who were not asked show what was learnt. The paper's own figures point the same way: its attack "
    "that has nothing but answers stays near .05 on ML-1M, where lists that it was trained on would give .9; and its "
    "ML-1M figures are all multiples of 1/1500 (in Table 8 of 1/3050), which is 30 (61) users times 50 items, a "
    "tenth (a fifth) of the 302 attacker users. This is an inference. It also says that the printed figures are of "
    "single runs, not means of five."
)
_LIMITS = (
    "For targets with a vector for each user, an attack that has answers alone (`qsd`) cannot know a user it never "
    "asked about: that it is behind on held-out users says nothing about it elsewhere.",
    "Held-out users are few: 60 a seed on ML-1M. So every figure has its interval, of several seeds Student's t over "
    "seeds, of one seed the bootstrap over its users.",
    "Seeds split one data set anew, and what an interval or a test over them says holds given this data set: it is "
    "about another split and another start, not about other users or items.",
    "Users of one seed share one target. They are never counted as if each were a run of its own, and a verdict "
    "needs five seeds.",
)


def protocol_section() -> Section:
    """Returns the protocol, the argument for held-out users, and what each attack learns from."""
    rows = [[Cell(f"`{attack}`"), Cell(words)] for attack, words in ATTACKS_IN_WORDS.items()]
    table = Table("who", "What each attack learns from", ["attack", "learns from"], [Body(rows)], "ll")
    heldout = Section("heldout", "Why held-out users", [Paragraph(_HELDOUT), Bullets(_LIMITS)])
    return Section("protocol", "The protocol in short", [Bullets(_STEPS), table], [heldout])
