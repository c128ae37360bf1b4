// A box fresh from the card, and what its owner does with only the page.
import assert from 'node:assert/strict'

import { Daemon } from '../interop/lib/daemon.mjs'
import { Simulator } from '../interop/lib/simulator.mjs'
import { openTab } from './browser.mjs'

export const password = 'two-bretzels'

/** args: of posthorn-sim. how: options of Daemon, by the simulator that runs. prepare: takes the box before it starts. */
export async function open({ runFor = 900, args, how = () => ({}), prepare = () => {} } = {}) {
  const sim = await Simulator.start({ runFor, args })
  const box = new Daemon(sim, await how(sim))
  prepare(box)
  await box.start()
  return {
    sim,
    box,
    async close() {
      await box.dispose()
      await sim.stop()
    }
  }
}

/** The shop's phone scans the code that is shown. */
export async function scan(shop) {
  shop.phone = (await shop.sim.scan(await shop.box.qrText())).phone
  return shop.phone
}

/** From the box's address to the first test message and the till's data; returns how many clicks that took. */
export async function firstStart(shop, tab) {
  let clicks = 0
  const click = async name => {
    ++clicks
    await tab.getByRole('button', { name, exact: true }).click()
  }
  await tab.getByRole('heading', { level: 2, name: 'Welcome' }).waitFor()
  await click('Next')
  await tab.getByLabel('New password').fill(password)
  await click('Set the password')
  await click('No, it is new')
  await tab.getByAltText(/QR code/).waitFor()
  await scan(shop)
  await tab.getByText(`Linked with +${shop.phone}`).waitFor()
  await click('Next')
  const customer = await shop.sim.addAccount({ name: 'Anna Customer' })
  shop.customer = customer.phone
  await tab.getByLabel('Number', { exact: true }).fill(`+${customer.phone}`)
  await click('Send')
  await tab.getByText(/^✓/).waitFor()
  await click('Next')
  await tab.getByText('apiTokenInstance', { exact: true }).waitFor()
  await click('Done')
  await tab.getByText('All is well.').waitFor()
  return clicks
}

export async function logIn(tab) {
  await tab.getByLabel('Password of this page').fill(password)
  await tab.getByRole('button', { name: 'Log in', exact: true }).click()
  await tab.getByRole('navigation').waitFor()
}

/** A tab at `path` of a box that gets its password here, logged in: { context, tab, wrong } of openTab(). */
export async function openLoggedIn(shop, browser, path) {
  const headers = { 'X-Posthorn': '1', 'content-type': 'application/json' }
  const set = await fetch(`${shop.box.url}/password`, { method: 'POST', headers, body: JSON.stringify({ password }) })
  assert.equal(set.status, 200)
  const opened = await openTab(browser, `${shop.box.url}${path}`)
  await logIn(opened.tab)
  return opened
}
