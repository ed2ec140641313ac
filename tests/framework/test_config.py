"""What stands in the configuration is refused in one line where it cannot be read."""

from __future__ import annotations

import pytest
from kedro.framework.cli.utils import KedroCliError

from rec_msa.foundation.errors import SettingsError
from rec_msa.framework.config import refuse_alias_bombs
from tests.small_project import ROOT


def test_a_tag_in_the_catalog_ended_in_a_traceback(small_project):
    entry = "mine: !!python/object/apply:os.system ['touch run']\n"
    (small_project.folder / "conf/local/catalog.yml").write_text(entry)
    context = small_project.session().load_context()
    with pytest.raises(KedroCliError, match=r"catalog\*\.yml, cannot be read: .*python/object"):
        context.catalog  # noqa: B018 - reading it is the test
    assert not (small_project.folder / "run").exists()


def test_a_model_that_its_owner_chose_was_replaced_by_the_target_of_the_data_sets_name(small_project):
    more = small_project.folder / "conf/local/parameters_more.yml"
    more.write_text("targets: {small: {lists: lists.csv}}\nmodel: [implicit_als, small]\n")
    assert small_project.session().load_context().params["model"] == ["implicit_als", "small"]
    more.write_text("targets: {small: {lists: lists.csv}}\n")
    assert small_project.session().load_context().params["model"] == ["small"]


@pytest.mark.parametrize(("place", "said"), [("fil:///there", "did you mean 'file'"), ("nowhere://there", "Allowed: ")])
def test_artifacts_on_a_file_system_that_nobody_knows_ended_in_a_traceback(small_project, place, said):
    (small_project.folder / "conf/local/globals.yml").write_text(f"data: {place}\n")
    with pytest.raises(KedroCliError, match=rf"globals\.yml, data: '{place}': .*{said}"):
        small_project.session().load_context()


def test_a_key_below_what_is_a_list_ended_in_a_line_of_the_library_and_two_of_its_insides(small_project):
    with pytest.raises(KedroCliError, match="a key has others below it in one place, --params among them") as refusal:
        small_project.session(audit={"shares": {"pta": 2}}).load_context()
    assert len(str(refusal.value).splitlines()) == 1


def bomb(depth: int) -> str:
    lines = ["a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, depth)]
    return "\n".join(lines)


def test_aliases_that_stand_for_billions_of_values_ate_the_memory(small_project):
    (small_project.folder / "conf/local/parameters_more.yml").write_text(bomb(12))
    with pytest.raises(KedroCliError, match=r"parameters_more\.yml: its aliases come to more than 100000 values"):
        small_project.session().load_context()


def test_aliases_that_a_person_writes_are_read(tmp_path):
    (tmp_path / "a.yml").write_text(bomb(4))
    refuse_alias_bombs(tmp_path)
    refuse_alias_bombs(ROOT / "conf")
    (tmp_path / "a.yml").write_text(bomb(6))
    with pytest.raises(SettingsError):
        refuse_alias_bombs(tmp_path)


def test_the_lock_file_of_an_editor_ended_every_command_in_a_traceback(small_project):
    (small_project.folder / "conf/local/.#parameters.yml").symlink_to("someone@there.1234:5678")
    (small_project.folder / "conf/local/parameters_old.yml").mkdir()
    assert small_project.session().load_context().params["dataset"] == ["small"]


def test_a_file_that_may_not_be_read_is_told_when_it_is_read(tmp_path, monkeypatch):
    (tmp_path / "a.yml").write_text("a: 1")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(tmp_path), "read_text", refuse)
    refuse_alias_bombs(tmp_path)
