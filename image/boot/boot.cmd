# U-Boot's script: chooses the slot, counts the tries of one that is not confirmed yet, starts its kernel.
# The counters stand in two files of one sector each with a CRC (firmware/slots writes the same form):
# the first that is whole counts. 7: confirmed, never counted down, so that pulling the plug often
# cannot use up a good slot. 1 to 3: tries left of a fresh one. 0: not to be started.
setenv scratch ${ramdisk_addr_r}
setenv BOOT_ORDER "A B"; setenv BOOT_A_LEFT 7; setenv BOOT_B_LEFT 0
setenv known; setenv dirty
for f in slots.1 slots.2; do
  if test "x${known}" = "x"; then
    mw.b ${scratch} 0 0x200
    if fatload ${devtype} ${devnum}:1 ${scratch} ${f} 0x200 && env import -c ${scratch} 0x200 BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT; then
      setenv known ${f}
    else
      echo "posthorn: ${f} is damaged"; setenv dirty 1
    fi
  fi
done
if test "x${known}" = "x"; then setenv BOOT_ORDER "A B"; setenv BOOT_A_LEFT 3; setenv BOOT_B_LEFT 3; fi

setenv slot
for s in ${BOOT_ORDER}; do
  if test "x${slot}" = "x"; then
    if test "x${s}" = "xA" && itest 0x${BOOT_A_LEFT} > 0; then setenv slot A; fi
    if test "x${s}" = "xB" && itest 0x${BOOT_B_LEFT} > 0; then setenv slot B; fi
  fi
done
if test "x${slot}" = "x"; then
  echo "posthorn: no slot has tries left, both get three more"
  setenv BOOT_ORDER "A B"; setenv BOOT_A_LEFT 3; setenv BOOT_B_LEFT 3; setenv slot A; setenv dirty 1
fi
if test "x${slot}" = "xA"; then
  setenv part 2
  if itest 0x${BOOT_A_LEFT} <= 3; then setexpr BOOT_A_LEFT ${BOOT_A_LEFT} - 1; setenv dirty 1; fi
else
  setenv part 3
  if itest 0x${BOOT_B_LEFT} <= 3; then setexpr BOOT_B_LEFT ${BOOT_B_LEFT} - 1; setenv dirty 1; fi
fi
setenv save_slots 'mw.b ${scratch} 0 0x200; env export -c -s 0x200 ${scratch} BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT; fatwrite ${devtype} ${devnum}:1 ${scratch} slots.1 0x200; fatwrite ${devtype} ${devnum}:1 ${scratch} slots.2 0x200'
if test "x${dirty}" = "x1"; then run save_slots; fi
echo "posthorn: slot ${slot}, order ${BOOT_ORDER}, left A=${BOOT_A_LEFT} B=${BOOT_B_LEFT}"

# A technician's own kernel arguments: a line extra=... in kernel.txt.
setenv extra
if test -e ${devtype} ${devnum}:1 kernel.txt; then
  mw.b ${scratch} 0 0x200
  fatload ${devtype} ${devnum}:1 ${scratch} kernel.txt 0x200 && env import -t -r ${scratch} ${filesize} extra
fi
# The card is named by the number that it has now (new since its first start) and by where U-Boot read this
# script from: the initramfs wants both, so that another card with the same number is not taken for it.
setenv card
part uuid ${devtype} ${devnum}:${part} card
if test "x${card}" = "x"; then setenv card @SIGNATURE@-0${part}; fi
setenv bootargs "console=tty0 console=ttyS1,115200 console=ttyAMA0,115200 root=PARTUUID=${card} posthorn.disk=${devtype}${devnum} rauc.slot=${slot} panic=10 ${extra}"
# The boards' firmware hands its own device tree on (memory, serial number, MAC); the emulator U-Boot's.
if test -n "${fdtfile}"; then setenv tree ${fdt_addr}; else setenv tree ${fdtcontroladdr}; fi
if ext4load ${devtype} ${devnum}:${part} ${kernel_addr_r} /boot/Image && ext4load ${devtype} ${devnum}:${part} ${ramdisk_addr_r} /boot/initrd.img; then
  booti ${kernel_addr_r} ${ramdisk_addr_r}:${filesize} ${tree}
fi

# The slot cannot even be loaded. A confirmed one gets three more tries, since a card may misread once.
echo "posthorn: slot ${slot} does not start"
if test "x${slot}" = "xA" && itest 0x${BOOT_A_LEFT} > 3; then setenv BOOT_A_LEFT 3; run save_slots; fi
if test "x${slot}" = "xB" && itest 0x${BOOT_B_LEFT} > 3; then setenv BOOT_B_LEFT 3; run save_slots; fi
reset
