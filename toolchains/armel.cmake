# ARMv5TE code, soft float: Raspberry Pi Zero, Zero W, 1. time_t has 4 bytes.
set(POSTHORN_ARCH armel)
set(POSTHORN_TRIPLE arm-linux-gnueabi)
set(POSTHORN_PROCESSOR armv6l)
set(POSTHORN_EMULATOR "qemu-arm-static;-cpu;arm1176")
include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)
