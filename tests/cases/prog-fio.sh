# fio: what was written is what is read, by every way of writing.
. "$TEST_ROOT/tests/lib.sh"

need fio

fio_work() {
	local common='--output=fio.out --size=16M --verify=crc32c --do_verify=1 --verify_fatal=1 --randrepeat=1'
	fio $common --name=seq --rw=write --bs=128k --ioengine=psync
	fio $common --name=rand --rw=randwrite --bs=4k --ioengine=psync --size=8M
	fio $common --name=odd --rw=randwrite --bsrange=512-60k --bs_unaligned=1 --ioengine=psync --size=8M
	fio $common --name=map --rw=randwrite --bs=4k --ioengine=mmap --size=8M
	fio $common --name=two --rw=randrw --bs=16k --ioengine=sync --numjobs=2 --fsync=64 --size=8M
	fio $common --name=vector --rw=write --bs=64k --ioengine=pvsync --size=8M --end_fsync=1
	ls | grep -v fio.out
}

mount_for_programs
on_both fio_work
remount -o allow_other
cd "$MNT/s/research_data/fio_work"
fio --output=fio.out --size=16M --verify=crc32c --verify_only --verify_fatal=1 --randrepeat=1 --name=seq --rw=write \
	--bs=128k
cd "$TEST_DIR"
umount_store
