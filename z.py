import os, pty, select, sys, time
pid, fd = pty.fork()
if pid == 0:
	os.execvp("bash", ["bash", "--norc", "-c", 'set -m; "$1" run -m "$2" --keep --name z -- python3 -c "import time,sys; print(\'ready\',flush=True); time.sleep(1); print(\'over\')"; echo "stopped: $?"; fg; echo "end: $?"', "bash", *sys.argv[1:]])
seen=b""
def until(w):
	global seen
	while w not in seen:
		assert select.select([fd],[],[],8)[0], seen
		try: seen += os.read(fd, 4096)
		except OSError: break
until(b"ready"); os.write(fd, b"\x1a"); until(b"end:")
print(seen.decode())
