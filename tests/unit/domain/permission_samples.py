"""A root for permission tests, policies in one line, and lines in every dress."""

from collections.abc import Callable
from fnmatch import fnmatchcase
from posixpath import join, normpath

from hypothesis import strategies as st

from specloom.domain.permissions.commands import judge_command
from specloom.domain.permissions.places import Place, Standing
from specloom.domain.permissions.policy import Policy
from specloom.domain.permissions.rules import Profile, Rule, Verdict, parse_rule


class Root:
    """A root at `/r` without links: `specs` is read-only, `.git` and `.env` are closed, `bare.git` is a repository."""

    files = ("a.txt", "src/a.py", "src/db/1.sql", "specs/01.md", "linked/out", ".git/config", "private/k")

    def find(self, path: str, folder: str) -> Place:
        real = normpath(join("/r", folder, path))
        if real != "/r" and not real.startswith("/r/"):
            return Place(path, Standing.OUTSIDE)
        below = real.removeprefix("/r").removeprefix("/")
        if {".git", ".env"}.intersection(below.split("/")):
            return Place(below, Standing.CLOSED)
        return Place(below, Standing.READ_ONLY if below.startswith("specs") else Standing.OPEN)

    def holds(self, path: str, folder: str) -> Standing:
        found = self.find(path, folder)
        above = found.standing is Standing.OUTSIDE and "/r".startswith(normpath(join("/r", folder, path)))
        return Standing.CLOSED if above or not found.path else Standing.OPEN

    def below(self, path: str, folder: str) -> tuple[Place, ...] | None:
        top = self.find(path, folder).path
        return tuple(self.find(name, "") for name in self.files if f"{name}/".startswith(f"{top}/" if top else ""))

    def expand(self, pattern: str, folder: str) -> tuple[str, ...] | None:
        return tuple(name for name in self.files if fnmatchcase(name, normpath(join(folder, pattern))))

    def is_folder(self, path: str, folder: str) -> bool:
        top = self.find(path, folder).path
        return not top or any(name.startswith(f"{top}/") for name in self.files)

    def git_runs(self, folder: str, subcommand: str) -> str:
        told = {"filtered": "its configuration sets filter.x.clean", "aliased": "its configuration sets alias.x"}
        folder = normpath(folder)
        return told.get(folder, "") if folder != "aliased" or subcommand == "x" else ""

    def may_be_bare(self, folder: str) -> bool:
        return "bare.git" in folder.split("/")


def rules(verdict: Verdict, *texts: str) -> tuple[Rule, ...]:
    found = tuple(parse_rule(text, verdict, "specloom.toml") for text in texts)
    return tuple(rule for rule in found if isinstance(rule, Rule))


def policy(
    profile: Profile = Profile.ASK,
    *,
    allow: tuple[str, ...] = (),
    ask: tuple[str, ...] = (),
    deny: tuple[str, ...] = (),
) -> Policy:
    stated = (*rules(Verdict.ALLOW, *allow), *rules(Verdict.ASK, *ask), *rules(Verdict.DENY, *deny))
    assert len(stated) == len(allow) + len(ask) + len(deny)
    return Policy(profile, stated)


def verdict(line: str, held: Policy | None = None, folder: str = "") -> Verdict:
    """Of a line in `Root`."""
    return judge_command(line, held or policy(), Root(), folder).verdict


def quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def backticked(text: str) -> str:
    return text.replace("\\", "\\\\").replace("`", "\\`")


WRAPPERS: tuple[Callable[[str], str], ...] = (
    lambda line: f"env {line}",
    lambda line: f"env -i PATH=$PATH A=b {line}",
    lambda line: f"nohup {line}",
    lambda line: f"timeout -k 1 5 {line}",
    lambda line: f"nice -n 3 {line}",
    lambda line: f"command {line}",
    lambda line: f"time {line}",
    lambda line: f"sudo -n {line}",
    lambda line: f"A=b {line}",
    lambda line: f"sh -c {quoted(line)}",
    lambda line: f"bash -ec {quoted(line)}",
    lambda line: f"bash --norc -o pipefail -c {quoted(line)} x y",
    lambda line: f"eval {quoted(line)}",
    lambda line: f"echo x | xargs -n 1 {line}",
    lambda line: f"find . -maxdepth 0 -exec {line} {{}} \\;",
    lambda line: f"true && {line}",
    lambda line: f"false || {line}",
    lambda line: f"true; {line}",
    lambda line: f"true | {line}",
    lambda line: f"{line} &",
    lambda line: f"! {line}",
    lambda line: f"({line})",
    lambda line: f"{{ {line}; }}",
    lambda line: f"echo $({line})",
    lambda line: f'echo "a $({line}) b"',
    lambda line: f"echo `{backticked(line)}`",
    lambda line: f"cat <({line})",
    lambda line: f"if true; then {line}; fi",
    lambda line: f"for i in 1; do {line}; done",
    lambda line: f"while true; do {line}; break; done",
    lambda line: f"case a in a) {line};; esac",
    lambda line: f"echo ${{none:-$({line})}}",
    lambda line: f"x=$({line})",
    lambda line: f"f() {{ {line}; }}; f",
    lambda line: f"cat <<E\n$({line})\nE\n",
    lambda line: f"cat <<E\n`{backticked(line)}`\nE\n",
    lambda line: f"bash <<'E'\n{line}\nE\n",
    lambda line: f"echo {quoted(line)} | sh",
    lambda line: f"{line} > /dev/null 2>&1",
    lambda line: f"> /dev/null {line}",
    lambda line: f"true \\\n&& {line}",
    lambda line: f"# a comment\n{line}",
    lambda line: f"true # {{\n{line}",
    lambda line: f"echo $(( $({line}) + 1 ))",
    lambda line: f"trap {quoted(line)} EXIT",
    lambda line: f"[[ -n $({line}) ]]",
    lambda line: f"echo <<< $({line})",
    lambda line: f"\t{line}\t",
)
"""Ways to run a line from within another one."""


@st.composite
def dressed_word(draw: st.DrawFn, word: str) -> str:
    """The word in other clothes that bash takes off again."""
    at = draw(st.integers(0, len(word)))
    head, tail = word[:at], word[at:]
    return draw(
        st.sampled_from(
            [
                word,
                f"'{word}'",
                f'"{word}"',
                f"{head}''{tail}",
                f'{head}""{tail}',
                f"'{head}'\"{tail}\"",
                f"\\{word}",
                f"{head}\\\n{tail}",
                f"$'{word}'",
                f"{head}$NOTHING" + (f'""{tail}' if tail else ""),
                f"{head}${{NOTHING}}{tail}",
                f"$(echo {word})",
                f"{head}`:`{tail}",
            ]
        )
    )


@st.composite
def dressed(draw: st.DrawFn, *words: str, depth: int = 3) -> str:
    """A line that runs these words, wrapped up to `depth` times."""
    gap = st.sampled_from([" ", "  ", "\t", " \\\n "])
    line = ""
    for word in words:
        line += (draw(gap) if line else "") + draw(dressed_word(word))
    for _ in range(draw(st.integers(0, depth))):
        line = draw(st.sampled_from(WRAPPERS))(line)
    return line
