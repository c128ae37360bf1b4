module posthorn/tests/interop/peers-go

go 1.24.0
