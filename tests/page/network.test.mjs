// /network on a box whose network is ours to set: the page, posthornd, and root's own programs with a pretend systemctl.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { findProgram } from '../interop/lib/simulator.mjs'
import { waitFor } from '../interop/lib/wait.mjs'
import { checksOf, launch } from './browser.mjs'
import { open, openLoggedIn } from './shop.mjs'

const timeout = 60_000

describe('the network in the browser', () => {
  let folder, shop, browser, tab, wrong
  const root = path => join(folder, path)
  const kept = () => readFileSync(root('state/settings.txt'), 'utf8')

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'posthorn-network-'))
    for (const part of ['boot', 'state', 'bin', 'run/posthorn']) mkdirSync(root(part), { recursive: true })
    const setUp = [findProgram('POSTHORN_SETUP', 'firmware/setup/posthorn-setup'), '--boot', root('boot'), '--state', root('state'), '--root', folder]
    writeFileSync(root('boot/posthorn.txt'), 'dns = 192.168.1.1\n')
    writeFileSync(root('bin/systemctl'), `#!/bin/sh\n[ "$1 $2" != "restart posthorn-setup.service" ] || exec ${setUp.join(' ')}\n`)
    writeFileSync(root('bin/busctl'), `#!/bin/sh\necho "$@" >>${root('busctl.log')}\n`)
    for (const program of ['systemctl', 'busctl']) chmodSync(root(`bin/${program}`), 0o755)
    assert.equal(spawnSync(setUp[0], setUp.slice(1)).status, 0)
    process.env.POSTHORN_RUN_DIR = root('run/posthorn')
    shop = await open()
    delete process.env.POSTHORN_RUN_DIR
    browser = await launch();
    ({ tab, wrong } = await openLoggedIn(shop, browser, '/network'))
  }, { timeout })
  after(async () => {
    await browser?.close()
    await shop?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const { soundInAllSizes } = checksOf(() => ({ tab, wrong }))
  /** posthorn-request, as the path unit starts it; its time is ours. */
  const answer = async () => {
    const requests = join(shop.box.folder, 'data/requests')
    await waitFor(() => existsSync(join(requests, 'network-change')), 'a request')
    const child = spawn(findProgram('POSTHORN_REQUEST', 'firmware/system/posthorn-request'), [requests, root('state'), root('run/posthorn')],
      { env: { PATH: `${root('bin')}:${process.env.PATH}` }, stdio: ['ignore', 'inherit', 'inherit'] })
    return { child, ended: new Promise(resolve => child.on('exit', resolve)) }
  }
  const change = async () => {
    await tab.getByRole('button', { name: 'Change the network' }).click()
    await tab.getByLabel('A fixed one').check()
    await tab.getByLabel('Address', { exact: true }).fill('192.168.1.20/24')
    await tab.getByLabel('Router', { exact: true }).fill('192.168.1.1')
  }

  test('what is wrong is told in words, and what stands on the card is not offered', { timeout }, async () => {
    await change()
    assert.equal(await tab.getByLabel('Name servers').isDisabled(), true)
    await tab.getByLabel('Address', { exact: true }).fill('192.168.1.300/24')
    await tab.getByRole('button', { name: 'Try the new settings' }).click()
    await tab.getByText('must be dhcp or an address of the shop').waitFor()
    await soundInAllSizes('a wrong address')
  })

  test('new settings are tried, and kept when somebody confirms', { timeout }, async () => {
    await tab.getByLabel('Address', { exact: true }).fill('192.168.1.20/24')
    await tab.getByLabel('Time server').fill('ntp.shop.example')
    await tab.getByRole('button', { name: 'Try the new settings' }).click()
    const { ended } = await answer()
    await tab.getByText('seconds are left').waitFor()
    await tab.getByRole('link', { name: 'http://192.168.1.20/network' }).first().waitFor()
    await soundInAllSizes('settings on trial')
    assert.match(readFileSync(root('run/systemd/network/10-posthorn-wired.network'), 'utf8'), /Address=192.168.1.20\/24/)
    await tab.getByRole('button', { name: 'Keep the new settings' }).click()
    assert.equal(await ended, 0)
    await tab.getByText('The new settings hold.').waitFor()
    await soundInAllSizes('settings that were kept')
    assert.match(kept(), /address = 192.168.1.20\/24/)
    assert.match(kept(), /time_server = ntp.shop.example/)
    assert.match(readFileSync(root('busctl.log'), 'utf8'), /^call org.freedesktop.network1 \S+ org.freedesktop.network1.Manager Reload\n$/)
  })

  test('they go back when the box is told something else, or nothing', { timeout }, async () => {
    await tab.getByRole('button', { name: 'Change the network' }).click()
    await tab.getByLabel('The router gives it (DHCP)').check()
    await tab.getByRole('button', { name: 'Try the new settings' }).click()
    const { ended } = await answer()
    await tab.getByText('seconds are left').waitFor()
    const wired = () => readFileSync(root('run/systemd/network/10-posthorn-wired.network'), 'utf8')
    await waitFor(() => !wired().includes('Address='), 'the fixed address is gone')
    // In place of 90 seconds: something else is asked for.
    writeFileSync(join(shop.box.folder, 'data/requests/stranger'), '')
    assert.equal(await ended, 0)
    await tab.getByText('The settings of before hold again.').waitFor()
    await soundInAllSizes('settings that went back')
    assert.match(kept(), /address = 192.168.1.20\/24/)
    assert.match(wired(), /Address=192.168.1.20\/24/)
  })
})
