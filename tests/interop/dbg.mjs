import { spawn } from 'node:child_process'
import { Daemon, sleep } from './lib/daemon.mjs'
import { Simulator } from './lib/simulator.mjs'
const sim = await Simulator.start({ runFor: 300 })
const box = await new Daemon(sim).start()
await box.link(sim)
await sleep(20000)
const pid = box.child?.pid ?? box.process?.pid ?? box.pid
const tracer = spawn('strace', ['-f', '-y', '-tt', '-e', 'trace=pwrite64,fdatasync,fsync,pwritev', '-p', String(pid), '-o', '/tmp/st.txt'])
await sleep(130000)
tracer.kill('SIGINT')
await sleep(500)
await box.dispose(); await sim.stop()
