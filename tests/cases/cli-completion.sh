# Completions, in the shells themselves: verbs, options, sessions, sessions in the trash, directories, commands.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
mkdir bin
ln -s "$SESSFS" bin/sessfs
PATH=$TEST_DIR/bin:$PATH
mount_store
mkdir "$MNT/alpha" "$MNT/alpine" "$MNT/beta one"
export SESSFS_MOUNT=$MNT
mkdir place-a place-b
asked() { sessfs completion for "$@" | sed 's|^\t||' | cut -f1 | sort | xargs; }

note "by the table"
assert_eq "$(asked um)" umount
assert_match "$(asked '')" "check.*doctor.*init.*mount.*umount"
assert_eq "$(sessfs completion for doc)" "doctor	$(sessfs --help | sed -n 's/^ *doctor *//p')"
assert_eq "$(asked doctor -)" "--help --json --mount"
assert_eq "$(asked doctor --j)" --json
assert_eq "$(asked doctor -m '')" directories
assert_eq "$(asked no-such-verb '')" ""
assert_eq "$(asked init x '')" ""
assert_eq "$(asked status al)" "alpha alpine"
assert_eq "$(SESSFS_MOUNT= asked pause -m "$MNT" alpha b)" "beta one"
for words in "-m$MNT" "--mount=$MNT" "--mount = $MNT"; do
	assert_eq "$(SESSFS_MOUNT=/nowhere asked pause $words b)" "beta one" "behind $words"
done
assert_eq "$(asked status alpha '')" ""

try_bash() { # LINE - what bash makes of a tab at the end of the line
	bash --norc -c '
		source <(sessfs completion bash)
		COMP_LINE=$1 COMP_POINT=${#1}
		eval "COMP_WORDS=($1)"
		[[ $1 != *" " ]] || COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		compopt() { ${SAY_COMPOPT:-:} "$*"; }
		_sessfs
		printf "%s\n" "${COMPREPLY[@]}"' bash "$1" | sort | xargs
}
if command -v bash >/dev/null; then
	note bash
	assert_eq "$(try_bash 'sessfs um')" umount
	assert_eq "$(try_bash 'sessfs doctor --j')" --json
	assert_eq "$(try_bash 'sessfs mount place')" "place-a place-b"
	assert_eq "$(try_bash 'sessfs pause alpha al')" "alpha alpine"
	assert_eq "$(try_bash 'sessfs pause b')" "beta one" # xargs takes the backslash
	assert_eq "$(SAY_COMPOPT=echo try_bash 'sessfs mount -o tt')" "-o nospace ttl="
	[[ "$(bash --norc -c 'source <(sessfs completion bash); complete -p sessfs')" = 'complete -F _sessfs sessfs' ]]
fi

# What a tab offers, by a zsh on a terminal of its own.
cat >zsh.py <<'PYTHON'
import os, pty, re, select, sys, time
line, wanted = sys.argv[1], sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
	os.environ.update(TERM="dumb", ZDOTDIR=os.getcwd(), COLUMNS="200")
	os.execvp("zsh", ["zsh", "-i"])
seen, deadline = b"", time.monotonic() + 20
def until(*words):
	global seen
	while not all(word.encode() in seen for word in words):
		ready, _, _ = select.select([fd], [], [], max(0, deadline - time.monotonic()))
		if not ready:
			sys.exit(f"no {words} in {seen!r}")
		seen += os.read(fd, 65536)
until("READY> ")
seen = b""
os.write(fd, line.encode() + b"\t")
until(*wanted)
os.close(fd)
PYTHON
if command -v zsh >/dev/null; then
	note zsh
	mkdir functions
	sessfs completion zsh >functions/_sessfs
	cat >.zshrc <<-'ZSH'
		fpath=($PWD/functions $fpath)
		autoload -U compinit && compinit -u -D
		unsetopt beep
		setopt no_list_ambiguous
		PS1='READY> '
	ZSH
	python3 zsh.py 'sessfs um' 'umount '
	python3 zsh.py 'sessfs ' doctor umount check
	python3 zsh.py 'sessfs doctor --' --json --mount
	python3 zsh.py 'sessfs umount place' place-a place-b
	python3 zsh.py 'sessfs pause al' alpha alpine
	python3 zsh.py 'sessfs pause b' 'beta\ one'
	python3 zsh.py $'sessfs mount -o tt\t5h' ttl=5h
fi

note "mount options, in a list"
options() { sessfs completion for mount -o "$1" | cut -f1 | xargs; }
assert_eq "$(options show)" show_control
assert_eq "$(options ttl=1h,ke)" ttl=1h,keep=
assert_eq "$(options cache_)" "cache_ttl= cache_size="

try_fish() {
	fish --no-config -c 'source (sessfs completion fish | psub); complete -C "$argv[1]"' "$1" |
		cut -f1 | sort | xargs
}
if command -v fish >/dev/null; then
	note fish
	assert_eq "$(try_fish 'sessfs um')" umount
	assert_eq "$(try_fish 'sessfs doctor --j')" --json
	assert_eq "$(try_fish 'sessfs compl')" "complete completion"
	assert_eq "$(try_fish 'sessfs completion ')" "bash fish zsh"
	assert_eq "$(try_fish 'sessfs fail alpha ')" ""
	assert_eq "$(try_fish 'sessfs umount place')" "place-a/ place-b/"
	assert_eq "$(try_fish 'sessfs pause b')" "beta one"
fi
umount_store
