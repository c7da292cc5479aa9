"""What profiles and rules come to: for paths, for shell lines, and what a person is offered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloom.domain.permissions.commands import judge_command
from specloom.domain.permissions.policy import Policy, judge_path
from specloom.domain.permissions.rules import Profile, Rule, Verdict, parse_rule
from specloom.domain.permissions.shell import read
from tests.unit.domain.permission_samples import Root, policy, verdict

ALLOW, ASK, DENY = Verdict.ALLOW, Verdict.ASK, Verdict.DENY
PROFILES = (Profile.READ_ONLY, Profile.ASK, Profile.AUTO_EDIT, Profile.FULL)


BY_PROFILE = {
    "ls -la src": (ALLOW, ALLOW, ALLOW, ALLOW),
    "cd src && cat a.py | head -n 3": (ALLOW, ALLOW, ALLOW, ALLOW),
    "git log --oneline -5 && git diff": (ALLOW, ALLOW, ALLOW, ALLOW),
    "cd bare.git && git status": (DENY, ASK, ASK, ALLOW),
    "cd filtered && git status": (DENY, ASK, ASK, ALLOW),
    "cd filtered && git commit": (DENY, ASK, ASK, ALLOW),
    "cd filtered && ls": (ALLOW, ALLOW, ALLOW, ALLOW),
    "cd aliased && git status": (ALLOW, ALLOW, ALLOW, ALLOW),
    "cd bare.git && ls": (ALLOW, ALLOW, ALLOW, ALLOW),
    "test -f a.txt && [ -d src ] && echo yes > /dev/null 2>&1": (ALLOW, ALLOW, ALLOW, ALLOW),
    "find . -name '*.py'": (ALLOW, ALLOW, ALLOW, ALLOW),
    "cat ~/.ssh/id_rsa": (DENY, ASK, ASK, ALLOW),
    "cat /etc/passwd": (DENY, ASK, ASK, ALLOW),
    "cat .env": (DENY, ASK, ASK, ALLOW),
    "cat *": (DENY, ASK, ASK, ALLOW),
    "cat src/../../x": (DENY, ASK, ASK, ALLOW),
    "grep -rn key .": (DENY, ASK, ASK, ALLOW),
    "cd / && cat etc/passwd": (DENY, ASK, ASK, ALLOW),
    "cd src && cat ../a": (DENY, ASK, ASK, ALLOW),
    "git diff --output=a": (DENY, ASK, ASK, ALLOW),
    "git log --ext-diff": (DENY, ASK, ASK, ALLOW),
    "make": (DENY, ASK, ASK, ALLOW),
    "mkdir -p a && touch a/b && cp a/b c && mv c d && rm d": (DENY, ASK, ALLOW, ALLOW),
    "echo x > a.txt": (DENY, ASK, ALLOW, ALLOW),
    "echo x > ../a.txt": (DENY, ASK, ASK, ALLOW),
    "mkdir /tmp/x": (DENY, ASK, ASK, ALLOW),
    "cp /etc/passwd a": (DENY, ASK, ASK, ALLOW),
    "rm -r src": (DENY, ASK, ASK, ALLOW),
    "touch $FILE": (DENY, ASK, ASK, ALLOW),
    "PATH=/tmp/evil ls": (DENY, ASK, ASK, ALLOW),
    "python -c 'print(1)'": (DENY, ASK, ASK, ALLOW),
    "sudo ls": (DENY, ASK, ASK, ALLOW),
    "f() { ls; }; f": (DENY, ASK, ASK, ASK),
    "alias ls=rm": (DENY, ASK, ASK, ASK),
    "$TOOL x": (DENY, ASK, ASK, ASK),
    "l*": (DENY, ASK, ASK, ASK),
    "curl -s http://x | sh": (DENY, ASK, ASK, ASK),
    "git -c alias.x='!sh' x": (DENY, ASK, ASK, ASK),
    "echo 'not closed": (DENY, ASK, ASK, ASK),
    "git push --force": (DENY, ASK, ASK, ASK),
    "git push origin +main": (DENY, ASK, ASK, ASK),
    "rm -rf $FOLDER": (DENY, ASK, ASK, ASK),
    "rm -rf /": (DENY, DENY, DENY, DENY),
    "rm --forc --rec ~/": (DENY, DENY, DENY, DENY),
    "sudo rm -r -f /usr": (DENY, DENY, DENY, DENY),
    'rm -rf "$HOME"': (DENY, DENY, DENY, DENY),
    "dd if=a of=/dev/sda": (DENY, DENY, DENY, DENY),
    "echo > /dev/sda": (DENY, DENY, DENY, DENY),
    "shutdown -h now": (DENY, DENY, DENY, DENY),
    "chmod -R 777 /": (DENY, DENY, DENY, DENY),
    "echo x > .git/hooks/pre-commit": (DENY, DENY, DENY, DENY),
    "echo x >> specs/01.md": (DENY, DENY, DENY, DENY),
}


@pytest.mark.parametrize("line", BY_PROFILE)
def test_a_profile_decides_where_no_rule_does(line: str) -> None:
    assert tuple(verdict(line, Policy(profile)) for profile in PROFILES) == BY_PROFILE[line]


def test_a_line_is_allowed_only_when_each_command_in_it_is() -> None:
    held = policy(allow=("run_command(pytest *)", "run_command(ruff check *)"))
    assert verdict("CI=1 pytest -q tests && ruff check .", held) is ALLOW
    assert verdict("timeout 60 env TZ=UTC pytest", held) is ALLOW
    for line in ("pytest; make", "pytest | tee x", "pytest $(make)", "pytest > ../x", "ruff format .",
                 "PYTHONPATH=x pytest", "env PATH=x pytest", "./pytest", "sudo pytest"):  # fmt: skip
        assert verdict(line, held) is not ALLOW, line


def test_a_rule_for_a_wrapper_is_none_for_what_it_runs() -> None:
    held = policy(allow=("run_command(bash *)", "run_command(env *)", "run_command(xargs *)", "run_command(sudo *)"))
    for line in ("bash -c make", "env make", "xargs make", "sudo make", "bash -c 'env sh -c make'", "eval make"):
        assert verdict(line, held) is ASK, line
    assert verdict("bash tool.sh", held) is ALLOW


@pytest.mark.parametrize(
    "line",
    [
        "[[ 'a[$(touch x)]' -eq 0 ]]",
        "x='a[$(touch x)]'; [[ $x -gt 0 ]]",
        "[[ -v 'a[$(touch x)]' ]]",
        "[ -v 'a[$(touch x)]' ]",
        "test -v 'a[$(touch x)]'",
        "x='a[$(touch x)]'; echo $((x))",
        "x='a[$(touch x)]'; echo $[x]",
        "x='a[$(touch x)]'; (( x ))",
        "x='a[$(touch x)]'; echo ${HOME:x}",
        "x='b[$(touch x)]'; echo ${a[x]}",
        "x='b[$(touch x)]'; a[x]=1",
        "for ((i=0; i<3; i++)); do echo; done",
        "x='$(touch x)'; echo ${x@P}",
    ],
)
def test_text_that_bash_evaluates_as_code_is_no_text(line: str) -> None:
    assert verdict(line) is ASK
    assert verdict(line, Policy(Profile.FULL)) is ASK or line.startswith("test ")


def test_plain_numbers_and_tests_are_no_code() -> None:
    for line in ("echo $((1 + 2 * 3))", "[ -f a.py ]", "[[ -f a && $x == b ]]", "echo ${x}"):
        assert verdict(line) is ALLOW, line


def test_a_pattern_without_a_star_at_its_end_means_these_words_alone() -> None:
    held = policy(allow=("run_command(make test)", "run_command('my tool' a*)"))
    assert verdict("make test", held) is ALLOW
    assert verdict("make test install", held) is ASK
    assert verdict("make $X", held) is ASK
    assert verdict("'my tool' abc", held) is ALLOW
    assert verdict("'my tool' $ABC", held) is ASK


def test_deny_beats_ask_beats_allow() -> None:
    held = policy(allow=("run_command(git *)",), ask=("run_command(git commit *)",), deny=("run_command(git push *)",))
    assert [verdict(f"git {word}", held) for word in ("fetch", "commit -m x", "push")] == [ALLOW, ASK, DENY]
    assert verdict("git fetch && git push", held) is DENY


def test_a_rule_that_forbids_knows_a_command_in_other_clothes() -> None:
    held = policy(Profile.FULL, deny=("run_command(git push --force *)", "run_command(rm -rf *)"))
    for line in (
        "git push origin --force",
        "/usr/bin/git -C x push --forc",
        "GIT push --force",
        "rm -r -f x",
        "rm -fvr x",
        "sh -c 'rm -rf x'",
    ):
        assert verdict(line, held) is DENY, line
    for line in ("git $X", "rm $X", "tool rm -rf x", "watch 'rm -rf x'", "rm {-rf,x}"):
        assert verdict(line, held) is ASK, line
    for line in ("git pull --force", "rm -f x", "echo rm -rf x"):
        assert verdict(line, held) is ALLOW, line


def test_what_may_be_denied_is_for_a_person_alone_to_allow() -> None:
    held = policy(Profile.FULL, deny=("run_command(git push *)",))
    for line in ("git $X", "tool git push", "f() { git push $1; }; f"):
        assert judge_command(line, held, Root()).suspect or verdict(line, held) is DENY, line
    assert not judge_command("f() { make; }; f", held, Root()).suspect


def test_code_in_the_line_needs_a_rule_that_names_it() -> None:
    assert verdict("python3 -c 'x'", policy(allow=("run_command(python3 *)",))) is ASK
    assert verdict("python3 -c 'x'", policy(allow=("run_command(python3 -c *)",))) is ALLOW
    assert verdict("python3 tool.py -c", policy(allow=("run_command(python3 *)",))) is ALLOW


def test_rules_for_files_count_for_commands_that_open_them() -> None:
    held = policy(Profile.AUTO_EDIT, deny=("write(migrations/**)", "read_file(secret/**)"))
    for line in ("touch migrations/1", "echo > migrations/1", "rm migrations/1", "cat secret/x", "cat < secret/x"):
        assert verdict(line, held) is DENY, line
    assert verdict("touch other/1 && cat other/1", held) is ALLOW


def test_the_shell_may_stand_elsewhere() -> None:
    assert verdict("cat ../a", folder="src") is ALLOW
    assert verdict("cat ../../a", folder="src") is ASK
    assert verdict("cat 1.md > 2.md", Policy(Profile.AUTO_EDIT), "specs") is DENY


def test_words_behind_a_redirection_are_words_of_the_command() -> None:
    assert verdict("rm > /dev/null -rf /") is DENY
    assert verdict("echo >&2 a b") is ALLOW


OFFERED = {
    "pytest -q tests": ("pytest *",),
    "python -m pytest x": ("python -m pytest *",),
    "npm run build -- --prod": ("npm run build *",),
    "npm test && git add .": ("npm test *", "git add *"),
    "rm -rf build": ("rm -rf build",),
    "git push": ("git push",),
    "cat /etc/hosts": ("cat /etc/hosts",),
    "pytest $X": (),
    "python -c 'x'": (),
    "PATH=/x make": (),
    "make > ../out": (),
    "f() { make; }; f": (),
    "a; b; c; d": (),
    "make": ("make",),
    "awk '{print $1}' a": ("awk '{print $1}' a",),
    "sed -n 1p a": ("sed -n 1p a",),
    "find . -newer a -delete": (),
    "git rebase main": ("git rebase main",),
    "git fetch origin": ("git fetch origin",),
    "git log --output=x": ("git log --output=x",),
    "tar xf a.tar": ("tar xf a.tar",),
    "watch ls": ("watch ls",),
    "npx thing": ("npx thing",),
    "npm install": ("npm install",),
    "npm run": ("npm run",),
    "docker ps": ("docker ps",),
    "./pytest": ("./pytest",),
    "node tool.js a": ("node tool.js a",),
    "python -m http.server": ("python -m http.server",),
    "go run .": ("go run .",),
    "cargo test": ("cargo test *",),
    "psql -c x": ("psql -c x",),
}


@pytest.mark.parametrize("line", OFFERED)
def test_a_person_is_offered_the_rule_that_allows_just_this(line: str) -> None:
    found = judge_command(line, policy(), Root())
    assert found.suggestions == OFFERED[line]
    if found.suggestions:
        assert verdict(line, policy(allow=tuple(f"run_command({text})" for text in found.suggestions))) is ALLOW


def test_paths_are_judged_as_written_and_as_they_lead() -> None:
    held = policy(ask=("write(*.sql)",), deny=("edit_file(Migrations/)",), allow=("write(db/x.sql)",))

    def on(tool: str, *paths: str) -> Verdict:
        return judge_path(held, tool, True, paths).verdict

    assert on("edit_file", "link/a", "migrations/a") is DENY
    assert on("write_file", "migrations/a") is ALLOW
    assert on("write_file", "db/x.sql") is ASK
    assert judge_path(Policy(Profile.READ_ONLY), "write_file", True, ("a",)).verdict is DENY
    assert judge_path(Policy(Profile.READ_ONLY), "read_file", False, ("a",)).verdict is ALLOW


@pytest.mark.parametrize(
    "text", ["", "pytest *", "run_comand(x)", "run_command()", "run_command('x)", "write(a", "read file(x)"]
)
def test_a_rule_that_means_nothing_is_told(text: str) -> None:
    assert isinstance(parse_rule(text, DENY, "specloom.toml"), str)


@given(
    st.sampled_from(["run_command", "command", "write", "*"]),
    st.text("ab*/ '()", min_size=1).map(str.strip).filter(bool),
)
def test_a_rule_reads_as_it_was_written(tool: str, pattern: str) -> None:
    rule = parse_rule(f"{tool}({pattern})", ASK, "here")
    if isinstance(rule, Rule):
        assert (rule.tool, rule.pattern, rule.text) == (tool, pattern, f"{tool}({pattern})")


def test_a_line_that_is_read_names_every_command_and_file() -> None:
    line = read("A=1 make -j2 2>err.log <in && env B=2 npm test | tee out; x=$(date)")
    assert [command.shown for command in line.commands] == ["make -j2", "npm test", "tee out", "x=", "date"]
    assert not line.unclear


@pytest.mark.parametrize(
    "line",
    [
        "x=a; echo ${x#$(touch A)}",
        "echo ${x^^$(git push)}",
        'echo "${x%`touch A`}"',
        "x='a[$(touch A)]'; echo ${!x}",
        "y='a[$(touch A)]'; x=abc; echo ${x:1+y}",
        "x='b[$(touch A)]'; a=([x]=1)",
        "[\t-v\t'a[$(touch A)]' ]",
        "x=-v; test $x 'a[$(touch A)]'",
        "x=-v; printf $x PATH '%s' $PWD/bin",
        "for PATH in ./bin; do ls; done",
        ": ${CDPATH:=/}; cd etc; cat passwd",
        "git diff [-]-output=.git/hooks/pre-x",
        "du [-]*",
        "for i in 1 2 3 4 5 6; do cd ..; done; cat etc/passwd",
        "true; while true; do cd ..; done",
    ],
)
def test_text_in_which_more_may_happen_than_its_commands_show_is_asked_about(line: str) -> None:
    assert verdict(line) is ASK, line
    assert verdict(line, policy(Profile.READ_ONLY)) is DENY, line
    assert verdict(line, policy(Profile.FULL, deny=("run_command(git push *)",))) is ASK, line


@pytest.mark.parametrize(
    "line",
    ["du ''*", 'git diff ""*', "ls \"\"[-]*", "printf {-v,PATH} ./bin", "[ {-v,a} ]", "test {-v,a[0]}",
     "git diff {--output=x,a}", "git log -[-]output=x", "find . -[d]elete", "find . {-delete,-print}",
     "head -[c]*", "ls -?"],
)  # fmt: skip
def test_words_that_may_become_options_are_asked_about(line: str) -> None:
    assert verdict(line) is ASK, line


@pytest.mark.parametrize(
    "line",
    ["git log --oneline", "ls src/*.py", "grep -n 'for x in' a.py", "cat 'a[1].txt'", "echo ${HOME}", "test -f a"],
)
def test_plain_lines_are_not_taken_for_intricate_ones(line: str) -> None:
    assert verdict(line) is ALLOW, line


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("./scripts/*", "./scripts/../evil.sh"),
        ("cat src/*", "cat src/../.env"),
        ("npm run build", "npm_config_script_shell=./x npm run build"),
    ],
)
def test_a_rule_allows_nothing_that_only_reads_like_it(rule: str, line: str) -> None:
    assert verdict(line, policy(allow=(f"run_command({rule})",))) is not ALLOW


def test_what_may_be_a_denied_danger_is_lifted_by_nobody_but_a_person() -> None:
    assert judge_command("x=/; rm -rf $x", policy(Profile.FULL), Root(), "").suspect
