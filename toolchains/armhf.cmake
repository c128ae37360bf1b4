# ARMv7 with VFPv3: Raspberry Pi 2 and every later one with a 32-bit system. time_t has 4 bytes.
set(POSTHORN_ARCH armhf)
set(POSTHORN_TRIPLE arm-linux-gnueabihf)
set(POSTHORN_PROCESSOR armv7l)
set(POSTHORN_EMULATOR "qemu-arm-static")
include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)
