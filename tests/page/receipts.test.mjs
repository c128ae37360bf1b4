// /till on the counter's tablet and /receipts, in a real browser: a receipt is printed, somebody types the number.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'

import { Daemon } from '../interop/lib/daemon.mjs'
import { Simulator } from '../interop/lib/simulator.mjs'
import { launch, openTab, sizes, violations } from './browser.mjs'

const timeout = 60_000

describe('receipts in the browser', () => {
  let sim, box, browser, customer, port
  before(async () => {
    sim = await Simulator.start({ runFor: 300 })
    box = await new Daemon(sim, { toml: '[receipts]\nform = "text"\n[printer.1]\nlisten = 0\n' }).start()
    await box.link(sim)
    customer = (await sim.addAccount({ name: 'Anna' })).phone
    port = (await box.call('getReceiptPrinters'))[0].port
    browser = await launch()
  }, { timeout })
  after(async () => {
    await browser?.close()
    await box?.dispose()
    await sim?.stop()
  })
  const print = text => new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(Buffer.from(text, 'latin1')))
    socket.on('close', resolve).on('error', reject).resume()
  })

  test('the till asks for a number and sends the receipt', { timeout }, async () => {
    const { context, tab, wrong } = await openTab(browser, `${box.url}/till?token=${box.token}`, { viewport: sizes.narrow })
    await print('Tea <b>2,40</b>\nTOTAL 2,40\n\x1dV\0')
    await tab.getByText('Receipt 1, 2,40: number?').waitFor()
    assert.deepEqual(await violations(tab), [])
    for (const digit of customer) await tab.getByRole('button', { name: digit, exact: true }).click()
    await tab.getByRole('button', { name: 'Send', exact: true }).click()
    await tab.getByText('Please ask the customer').waitFor()
    await tab.getByRole('checkbox').check()
    await tab.getByRole('button', { name: 'Send', exact: true }).click()
    await tab.getByText('Receipt 1 is on its way.').waitFor()
    const message = await sim.received(customer, m => m.text?.includes('TOTAL'))
    assert.match(message.text, /Tea <b>2,40<\/b>/)
    assert.deepEqual(wrong, [])
    await context.close()
  })

  test('a refused number is told, and "no" ends it', { timeout }, async () => {
    const { context, tab } = await openTab(browser, `${box.url}/till?token=${box.token}`)
    await print('Cake 3,00\nTOTAL 3,00\n\x1dV\0')
    await tab.getByText('Receipt 2, 3,00: number?').waitFor()
    for (const digit of '12') await tab.getByRole('button', { name: digit, exact: true }).click()
    await tab.getByRole('checkbox').check()
    await tab.getByRole('button', { name: 'Send', exact: true }).click()
    await tab.getByText(/phone number/).waitFor()
    await tab.getByRole('button', { name: 'No, thanks' }).click()
    await tab.getByText('Receipt on WhatsApp?').waitFor()
    assert.equal((await box.call('getReceipts'))[0].state, 'waiting')
    await context.close()
  })

  test('the list shows printers and what was printed, as text and as picture', { timeout }, async () => {
    const { context, tab, wrong } = await openTab(browser, `${box.url}/receipts?token=${box.token}`)
    await tab.getByText('queued (till)').waitFor()
    await tab.getByRole('button', { name: 'Show' }).last().click()
    const picture = tab.getByAltText('receipt 1')
    await picture.waitFor()
    assert.equal(await picture.evaluate(image => image.decode().then(() => image.naturalWidth)), 576)
    // What a till prints is never a part of the page.
    assert.match(await tab.locator('pre').textContent(), /<b>2,40<\/b>/)
    assert.equal(await tab.locator('pre b').count(), 0)
    assert.deepEqual(await violations(tab), [])
    assert.deepEqual(wrong, [])
    await context.close()
  })

  test('a tablet whose clock is wrong asks all the same', { timeout }, async () => {
    await print('Pie 4,00\nTOTAL 4,00\n\x1dV\0')
    const context = await browser.newContext({ locale: 'en' })
    await context.addInitScript(() => {
      const now = Date.now
      Date.now = () => now() + 3 * 3600_000
    })
    const tab = await context.newPage()
    await tab.goto(`${box.url}/till?token=${box.token}`)
    await tab.getByText('Receipt 3, 4,00: number?').waitFor({ timeout: 20_000 })
    await context.close()
  })

  test('nobody reads receipts without a right', { timeout }, async () => {
    const { context, tab } = await openTab(browser, `${box.url}/receipts`)
    await tab.getByText('log in').waitFor()
    await context.close()
  })
})
