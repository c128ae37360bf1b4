# ARMv8: Raspberry Pi Zero 2 W, 3, 4, 400, CM3, CM4.
set(POSTHORN_ARCH arm64)
set(POSTHORN_TRIPLE aarch64-linux-gnu)
set(POSTHORN_PROCESSOR aarch64)
set(POSTHORN_EMULATOR "qemu-aarch64-static")
include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)
