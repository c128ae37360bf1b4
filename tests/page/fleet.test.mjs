// /fleet in the browser with the real posthorn-fleet: enrolled by a code from the page, and left again.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { findProgram } from '../interop/lib/simulator.mjs'
import { checksOf, launch } from './browser.mjs'
import { open, openLoggedIn } from './shop.mjs'

const timeout = 90_000

describe('the fleet in the browser', () => {
  let folder, shop, browser, tab, wrong, office, agent
  const asked = []
  const at = path => join(folder, path)
  const openssl = (...words) => {
    const done = spawnSync('openssl', words, { encoding: 'utf8' })
    assert.equal(done.status, 0, done.stderr)
    return done.stdout
  }
  const start = () => {
    agent = spawn(findProgram('POSTHORN_FLEET', 'firmware/fleet/posthorn-fleet'),
      ['--config', at('none.toml'), '--state', at('state'), '--access', join(shop.box.folder, 'data/access.json')], { stdio: ['ignore', 'ignore', 'pipe'] })
    agent.log = ''
    agent.stderr.on('data', piece => { agent.log += piece })
    agent.ended = once(agent, 'exit')
  }

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'posthorn-fleet-'))
    mkdirSync(at('state'))
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', at('ca.key'), '-out', at('ca.pem'), '-days', '30', '-subj', '/CN=Fleet')
    // A head office that knows one code. Its broker is a port where nobody listens.
    office = createServer((request, response) => {
      let text = ''
      request.on('data', piece => { text += piece })
      request.on('end', () => {
        const body = JSON.parse(text)
        asked.push(body)
        if (body.code !== 'C-17') return response.writeHead(403).end('this code is not known')
        writeFileSync(at('box.csr'), body.csr)
        const certificate = openssl('x509', '-req', '-in', at('box.csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-set_serial', '7', '-days', '90')
        response.setHeader('Content-Type', 'application/json')
        response.end(JSON.stringify({ certificate, ca: readFileSync(at('ca.pem'), 'utf8'), org: 'bakery', host: '127.0.0.1', port: 9 }))
      })
    })
    office.listen(0, '127.0.0.1')
    await once(office, 'listening')
    shop = await open()
    browser = await launch();
    ({ tab, wrong } = await openLoggedIn(shop, browser, '/fleet'))
  }, { timeout })
  after(async () => {
    agent?.kill()
    await browser?.close()
    await shop?.close()
    office?.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const { soundInAllSizes } = checksOf(() => ({ tab, wrong }))
  const enrol = async code => {
    await tab.getByLabel('Address of the head office').fill(`http://127.0.0.1:${office.address().port}/enrol`)
    await tab.getByLabel('Code', { exact: true }).fill(code)
    await tab.getByRole('button', { name: 'Enrol this box' }).click()
  }

  test('a box without the program says what is missing', { timeout }, async () => {
    await tab.getByText('posthorn-fleet is not installed or does not run here').waitFor()
    await soundInAllSizes('without posthorn-fleet')
  })

  test('a wrong code is told in the head office\'s words, a right one enrols', { timeout }, async () => {
    start()
    await tab.getByText('This box belongs to no fleet yet.').waitFor()
    await soundInAllSizes('not enrolled')
    await enrol('C-18')
    await tab.getByText('this code is not known').waitFor()
    await soundInAllSizes('a wrong code')
    await enrol('C-17')
    const [code] = await agent.ended
    assert.equal(code, 0, agent.log)
    assert.deepEqual(asked.map(one => one.code), ['C-18', 'C-17'])
    start() // as systemd does
    await tab.getByText('No connection to the head office').waitFor()
    await tab.getByText('bakery', { exact: true }).waitFor()
    await tab.getByText('Certificate valid until').waitFor()
    await soundInAllSizes('enrolled, without its broker')
  })

  test('leaves when it is told to, and nothing of it stays', { timeout }, async () => {
    await tab.getByRole('button', { name: 'Leave the fleet' }).click()
    await soundInAllSizes('leaving is asked for')
    await tab.getByRole('button', { name: 'Yes, leave' }).click()
    const [code] = await agent.ended
    assert.equal(code, 0, agent.log)
    assert.deepEqual(readdirSync(at('state')), [])
    start()
    await tab.getByText('This box belongs to no fleet yet.').waitFor()
    assert.ok(!existsSync(at('none.toml')))
  })
})
