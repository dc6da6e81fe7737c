# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# machine.sh - a machine with a kernel of its own in a lab; sourced after lab.sh.
#
#   machine_find           skips the script when the emulator or the kernel is missing
#   machine_start NS TAP   boots; its eth0 is wired to a new interface TAP of namespace NS
#   guest COMMAND          runs bash's COMMAND in it, prints the output, returns the status; there, "nap"
#                          waits a twentieth of a second for nothing: "until [ -e FILE ]; do nap; done"
#   machine_esp            loads what its kernel has of ESP
#   machine_stop
#
# It is Debian's cloud kernel under qemu's emulation, which needs no /dev/kvm. (User-Mode Linux boots
# faster and was rejected: it dies on hosts whose processor has AMX, and has no nft inet family.) Its
# root is this file system, read only; /mnt is its own, /mnt/lab is $LAB, writable.
#
# A command that takes longer than GUEST_LIMIT seconds is the machine's end: what it was, and where its
# processes stand in the kernel, is said at once, and nothing waits for the machine any more.
: "${GUEST_LIMIT:=60}"

machine_find() {
	local dir
	command -v qemu-system-x86_64 >/dev/null || skip_all "needs qemu-system-x86; contrib/deps.sh test installs it"
	dir=$("$LAB_SRC/contrib/deps.sh" --unpacked linux-image-cloud-amd64 2>/dev/null) ||
		skip_all "needs a kernel; contrib/deps.sh test gets it"
	KERNEL=$(find "${dir%/}/boot" -name 'vmlinuz-*-cloud-amd64' | sort -V | tail -n 1)
	[ -n "$KERNEL" ] || skip_all "there is no kernel in $dir/boot"
	MODULES=${dir%/}/lib/modules/${KERNEL##*/vmlinuz-}
	[ -d "$MODULES" ] || MODULES=${dir%/}/usr/lib/modules/${KERNEL##*/vmlinuz-}
	VIRTIOFSD=$(command -v virtiofsd || find /usr/lib/qemu /usr/libexec -name virtiofsd 2>/dev/null | head -n 1)
	[ -n "$VIRTIOFSD" ] || skip_all "needs virtiofsd (Debian 12: in qemu-system-common)"
}

# The file system that the kernel starts with: init.c and what mounts the other one.
machine_initramfs() {
	local root=$LAB/initramfs base=${MODULES%%/lib/modules/*} version=${MODULES##*/} m file n=10
	mkdir -p "$root/modules"
	gcc -static -O1 -o "$root/init" "$LAB_SRC/tests/uml/init.c" || die "cannot build the machine's init"
	# depmod writes beside the modules: once for all labs
	[ -s "$MODULES/modules.dep" ] || depmod -b "$base" "$version" || die "depmod failed"
	for file in $(for m in virtio_pci virtiofs; do modprobe -d "$base" -S "$version" --show-depends $m; done |
		awk '$1 == "insmod" && !seen[$2]++ { print $2 }'); do
		case $file in
		*.xz) xz -dc "$file" ;;
		*) cat "$file" ;;
		esac >"$root/modules/$n-$(basename "${file%.xz}")"
		n=$((n + 1))
	done
	(cd "$root" && find . | "$PYTHON" "$LAB_SRC/tests/uml/newc.py" >"$LAB/initramfs.cpio")
}

# What goes on in the machine: it takes a command at a time from $LAB/guest, told of it by a serial line.
# While it waits it does nothing, and starts no program that it can do without: either costs the emulated
# processor more than most commands.
machine_script() {
	cat >"$LAB/machine" <<-END
		export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/mnt TMPDIR=/mnt LAB=/mnt/lab
		mount -t proc proc /proc
		mount -t sysfs sys /sys
		mount -t devtmpfs dev /dev
		mount -t tmpfs run /run
		mount -t tmpfs mnt /mnt
		mkdir -p /mnt/lib/modules /mnt/lab
		mount --bind $LAB /mnt/lab
		mount -o remount,bind,ro /
		ln -s $MODULES /mnt/lib/modules/
		printf '#!/bin/sh\nexec /sbin/modprobe -d /mnt "\$@"\n' >/mnt/modprobe
		chmod +x /mnt/modprobe
		echo /mnt/modprobe >/proc/sys/kernel/modprobe
		ip link set lo up
		/mnt/modprobe virtio_net
		cd /mnt/lab/guest
		mkfifo /mnt/never
		exec 3</dev/ttyS1 4<>/mnt/never
		stty raw -echo <&3
		nap() { read -r -t 0.05 -u 4 || true; }
		: >ready
		(until [ -e ask ]; do read -t 1 -u 4; done
		for p in /proc/[1-9]*; do
			s=\$(head -n 5 \$p/stack | sed 's/^/      /')
			[ ! -s \$p/cmdline ] || printf '  %s\n%s\n' "\$(tr '\\0' ' ' <\$p/cmdline | cut -c 1-100)" "\$s"
		done >stacks.tmp 2>/dev/null
		mv stacks.tmp stacks) &
		while read -r n <&3; do
			(exec 3<&-; . ./do.\$n) >out.\$n 2>&1 </dev/null
			echo \$? >status.\$n
		done
	END
}

machine_start() { # namespace tap
	local mem=memory-backend-memfd,id=mem,size=768M,share=on
	exec {MACHINE_SAYS}>&2 # while something is waited for, nothing is shown
	mkdir -p "$LAB/guest"
	mkfifo "$LAB/guest/line.in" "$LAB/guest/line.out"
	echo 0 >"$LAB/guest/count"
	machine_initramfs
	machine_script
	ip -n "$1" tuntap add "$2" mode tap
	ip -n "$1" link set "$2" up
	lab_spawn "$1" virtiofsd "$VIRTIOFSD" --socket-path="$LAB/run/fs" -o source=/ -o cache=auto -o sandbox=chroot
	need 10 "virtiofsd listens" test -S "$LAB/run/fs"
	lab_spawn "$1" machine qemu-system-x86_64 -M q35 -accel tcg,thread=multi -cpu max -m 768 -smp 1 -nodefaults \
		-no-user-config -display none -serial stdio -chardev "pipe,id=line,path=$LAB/guest/line" \
		-serial chardev:line -no-reboot -object "$mem" -numa node,memdev=mem \
		-chardev "socket,id=fs,path=$LAB/run/fs" -device vhost-user-fs-pci,chardev=fs,tag=host \
		-netdev "tap,id=net,ifname=$2,script=no,downscript=no" -device virtio-net-pci,netdev=net \
		-kernel "$KERNEL" -initrd "$LAB/initramfs.cpio" \
		-append "console=ttyS0 panic=-1 quiet net.ifnames=0 cryptomgr.notests script=$LAB/machine"
	need 90 "the machine boots" test -e "$LAB/guest/ready"
}

guest() { # command
	local n # counted in a file: it may be called in a subshell
	n=$(($(cat "$LAB/guest/count") + 1))
	echo $n >"$LAB/guest/count"
	echo "$1" >"$LAB/guest/do.$n"
	echo $n >"$LAB/guest/line.in"
	lab_poll "$GUEST_LIMIT" eval "[ -s '$LAB/guest/status.$n' ] || ! lab_alive machine"
	[ -s "$LAB/guest/status.$n" ] || { machine_lost "$1"; return 1; }
	cat "$LAB/guest/out.$n"
	return "$(cat "$LAB/guest/status.$n")"
}

machine_lost() { # command
	lab_alive machine || return
	touch "$LAB/guest/ask"
	lab_poll 20 test -e "$LAB/guest/stacks"
	{
		say "$LAB_NAME: the machine did not do this within $GUEST_LIMIT s, and is stopped: $1"
		cat "$LAB/guest/stacks"
	} >&"$MACHINE_SAYS" 2>&1
	kill -KILL "${LAB_PIDS[machine]}"
}

# What is there at once spares minutes: ansi_cprng is a random generator that waits for nothing, aesni_intel
# has all of AES-GCM in one piece. A kernel that puts a cipher together from pieces on a slow processor now
# and then misses its own news and waits for it for a minute, whoever asked; so here is who asks first.
machine_esp() {
	must guest '/mnt/modprobe -a ansi_cprng aesni_intel ctr ghash_generic xfrm_user xfrm_interface esp4 gcm seqiv'
	need "$GUEST_LIMIT" "the machine's kernel has AES-GCM for ESP" guest \
		"ip xfrm state add src 127.0.0.1 dst 127.0.0.1 proto esp spi 1 mode tunnel aead 'rfc4106(gcm(aes))' 0x$(printf '%072d' 0) 128 &&
			ip xfrm state flush"
}

machine_stop() {
	lab_kill machine KILL
	lab_kill virtiofsd
}
