# The units of contrib/systemd: systemd takes them; what they would run mounts, says that it is ready, and unmounts.
. "$TEST_ROOT/tests/lib.sh"

need scdoc make python3
make -C "$TEST_ROOT" --no-print-directory DESTDIR="$TEST_DIR/root" PREFIX=/usr SANITIZE="${SANITIZE-}" install \
	>said 2>&1 || fail "$(cat said)"
units=root/usr/lib/systemd

if command -v systemd-analyze >/dev/null; then
	note "systemd-analyze verify"
	# verify FILE - systemd has no word against it. The rest of the system is not there: what is said of that, goes.
	verify() {
		local said
		said=$(systemd-analyze "$@" 2>&1) || fail "systemd-analyze $*: $said"
		said=$(grep -vE 'Failed to (create|open|prepare)|SO_PASSSEC|man (mount.)?sessfs' <<<"$said") || :
		[ -z "$said" ] || fail "systemd-analyze $* said: $said"
	}
	mkdir plain plain-user
	sed "s|/usr/bin/sessfs|$SESSFS|" "$units/system/sessfs@.service" >plain/sessfs@.service
	sed "s|/usr/bin/sessfs|$SESSFS|" "$units/user/sessfs@.service" >plain-user/sessfs@.service
	cp "$TEST_ROOT"/contrib/systemd/srv-sessions.* plain
	cp plain/sessfs@.service plain/sessfs@srv-sessions.service
	cp plain-user/sessfs@.service plain-user/sessfs@srv-sessions.service
	verify verify --man=no ./plain/sessfs@srv-sessions.service ./plain/srv-sessions.{mount,automount}
	XDG_RUNTIME_DIR=$TEST_DIR verify verify --man=no --user ./plain-user/sessfs@srv-sessions.service
	note "what it would find, it finds"
	sed 's/^Type=notify/Type=notified/; s/^Restart=.*/Restrat=no/' plain/sessfs@.service >plain/wrong@x.service
	refused 'notified|Restrat' verify verify --man=no ./plain/wrong@x.service
fi

note "nothing hides the mount from others"
hiding='Protect(System|Home|Kernel|ControlGroups|Clock|Proc)|Private(Tmp|Devices|Mounts|Users)|TemporaryFileSystem'
hiding="$hiding|(ReadOnly|ReadWrite|Inaccessible|Bind)Paths|RootDirectory|MountFlags|DynamicUser"
! grep -hE "^($hiding)" "$TEST_ROOT"/contrib/systemd/*.service || fail "that makes a mount namespace"
! grep -hE '^(NoNewPrivileges|SystemCall|Restrict|Lock|MemoryDeny|CapabilityBounding)' \
	"$TEST_ROOT"/contrib/systemd/user/*.service || fail "that keeps fusermount3 from its rights"

need_fuse
# In the place of systemd: expands the unit for an instance, runs its lines, waits for READY=1 and its end.
cat >manager.py <<'PYTHON'
import os, re, shlex, socket, subprocess, sys
unit, instance, point, home = sys.argv[1:]
settings, environment = {}, {}
for line in open(unit):
	if re.match(r"\w+=", line):
		key, value = line.rstrip("\n").split("=", 1)
		value = value.replace("%i", instance).replace("%f", point).replace("%h", home)
		if key == "Environment":
			environment.update([value.split("=", 1)])
		else:
			settings.setdefault(key, []).append(value)
environment["STORE"] = f"{home}/the-store"
prefix = shlex.split(os.environ.get("PREFIX_WORDS", ""))
def words(line):
	line = re.sub(r"^/usr/bin/sessfs", os.environ["SESSFS"], line.lstrip("-"))
	return [re.sub(r"\$\{(\w+)\}", lambda m: environment[m.group(1)], word) for word in shlex.split(line)]
def rights():
	kept = settings.get("CapabilityBoundingSet")
	if not kept or os.geteuid():
		return []
	names = ",".join("+" + name.removeprefix("CAP_").lower() for name in kept[0].split())
	return ["setpriv", "--nnp", "--inh-caps=-all", f"--bounding-set=-all,{names}", "--"]
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind("notify")
os.chmod("notify", 0o777)
listener.settimeout(20)
env = dict(os.environ, NOTIFY_SOCKET=os.path.abspath("notify"))
assert settings["Type"] == ["notify"] and settings["NotifyAccess"] == ["main"]
for line in settings["ExecStartPre"]:
	subprocess.run(words(line), check=line[0] != "-")
daemon = subprocess.Popen(prefix + rights() + words(settings["ExecStart"][0]), env=env)
said = listener.recv(100).decode().split("\n")
assert said == ["READY=1", f"MAINPID={daemon.pid}"], said
subprocess.run(prefix + ["mkdir", f"{point}/one"], check=True)
subprocess.run(prefix + rights() + words(settings["ExecStop"][0]), check=True)
assert listener.recv(100) == b"STOPPING=1"
assert daemon.wait(20) == 0
os.unlink("notify")
PYTHON
export SESSFS
if [ "$(id -u)" = 0 ]; then
	note "sessfs@.service, with the rights it leaves"
	python3 manager.py "$units/system/sessfs@.service" the-mnt "$MNT" "$TEST_DIR"
	STORE=$TEST_DIR/the-store check_store
fi
note "the user's, as an ordinary user"
mkdir home home/mnt
own_by_user home
export PREFIX_WORDS="${AS_USER[*]}"
python3 manager.py "$units/user/sessfs@.service" the-mnt "$TEST_DIR/home/mnt" "$TEST_DIR/home"
