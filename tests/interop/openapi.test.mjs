// Whatever /openapi.json allows, and what it does not, asked of the running box by schemathesis: no answer of the box's
// own fault, and none that the file does not name.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { Daemon } from './lib/daemon.mjs'
import { Simulator } from './lib/simulator.mjs'

const run = fileURLToPath(new URL('python/run', import.meta.url))
const timeout = 180_000
// POSTHORN_EXAMPLES: so many for each method, and every edge of its fields (minutes).
const examples = process.env.POSTHORN_EXAMPLES
// What ends the account's link or this token, waits by design, or is no plain request.
const left = ['logout', 'reboot', 'updateApiToken', 'receiveNotification', 'scanqrcode', 'watchEvents']

test('schemathesis finds no fault', { timeout }, async () => {
  const sim = await Simulator.start({ runFor: 300 })
  const box = await new Daemon(sim).start()
  await box.link(sim)
  const customer = await sim.addAccount({ name: 'Customer' })
  await box.send(`${customer.phone}@c.us`, 'Order 118 is ready')
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-openapi-'))
  const config = join(folder, 'schemathesis.toml')
  writeFileSync(config, `[parameters]\n"path.idInstance" = ${box.id}\n"path.apiTokenInstance" = "${box.token}"\n`)
  try {
    let told = ''
    const checks = 'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance'
    const child = spawn(run, ['schemathesis', 'schemathesis', '--config-file', config, 'run', `${box.url}/openapi.json`, '--phases', examples ? 'coverage,fuzzing' : 'fuzzing',
      '--max-examples', examples ?? '6', '--checks', checks, '--seed', '1', '--no-color', '--continue-on-failure', '--workers', '1', '--warnings', 'off',
      '--suppress-health-check', 'all', ...left.flatMap(name => ['--exclude-operation-id', name])], { cwd: folder })
    child.stdout.on('data', piece => { told += piece })
    child.stderr.on('data', piece => { told += piece })
    const code = await new Promise(resolve => child.on('close', resolve))
    assert.equal(code, 0, told.slice(-8000))
    assert.match(told, /No issues found|passed/)
    assert.equal(await box.state(), 'authorized')
  } finally {
    rmSync(folder, { recursive: true, force: true })
    await box.dispose()
    await sim.stop()
  }
})
