// What the page says when not all is well, and where the focus is when a button has done its work.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { Graph } from '../interop/lib/graph.mjs'
import { waitFor } from '../interop/lib/wait.mjs'
import { checksOf, launch } from './browser.mjs'
import { open, openLoggedIn, scan } from './shop.mjs'

const timeout = 90_000
const chat = phone => `${phone}@c.us`

/** Serial number and model where the kernel would have them, beside the board's `compatible`. */
const giveSerial = box => {
  writeFileSync(join(box.folder, 'model'), 'Test Board Rev 2\0')
  writeFileSync(join(box.folder, 'serial-number'), '00000000c0ffee01\0')
}

/** A box that is linked, its customer, and a tab that is logged in. */
async function begin(how, more = {}) {
  const shop = await open({ how, ...more })
  await scan(shop)
  await shop.box.authorized()
  const browser = await launch()
  return { shop, browser, ...await openLoggedIn(shop, browser, '/') }
}

describe('a box with which not all is well', () => {
  let shop, browser, tab, wrong, people
  before(async () => {
    ({ shop, browser, tab, wrong } = await begin(() => ({ led: true, update: 'rauc-uboot', api: 'https_port = 0' }), { prepare: giveSerial }))
    people = await Promise.all(['Anna', 'Ben', 'Cleo'].map(name => shop.sim.addAccount({ name }).then(one => one.phone)))
  }, { timeout })
  after(async () => {
    await browser?.close()
    await shop?.close()
  })
  const { soundInAllSizes } = checksOf(() => ({ tab, wrong }))
  const verdict = text => tab.locator('.verdict', { hasText: text }).waitFor()

  test('says how many were sent today', { timeout }, async () => {
    await verdict('✓ All is well.')
    const id = await shop.box.send(chat(people[0]), 'Your table is ready')
    await shop.box.nextWhere('delivered', one => one.idMessage === id && one.status === 'delivered')
    await tab.getByText('1 message sent today.').waitFor()
  })

  test('never says that all is well while somebody has paused it', { timeout }, async () => {
    await tab.getByRole('button', { name: 'Pause sending' }).click()
    await verdict('! Nothing is sent: somebody has paused it.')
    await shop.box.send(chat(people[0]), 'Later')
    await tab.getByText('1 message waits.').waitFor()
    assert.ok(!(await tab.innerText('main')).includes('All is well'))
    await soundInAllSizes('status while paused')
    // Nor that it is the pace.
    await tab.goto(`${shop.box.url}/queue`)
    await tab.locator('.list li', { hasText: 'Nothing is sent: somebody has paused it.' }).waitFor()
    await tab.goto(`${shop.box.url}/send`)
    await tab.getByLabel('Number', { exact: true }).fill(`+${people[0]}`)
    await tab.getByText('Nothing is sent: somebody has paused it.').waitFor()
    await tab.goto(`${shop.box.url}/log`)
    await tab.getByLabel('Only what went wrong').check()
    await tab.locator('pre', { hasText: 'Warning: throttle: sending is paused' }).waitFor()
    assert.ok(!/<\d>|posthornd: ready/.test(await tab.locator('pre').textContent()))
    await tab.goto(`${shop.box.url}/messages`)
    await tab.locator('.list li', { hasText: 'waits' }).getByText('outgoing').waitFor()
    await tab.goto(`${shop.box.url}/`)
    await tab.getByRole('button', { name: 'Go on sending' }).click()
    await verdict('✓ All is well.')
  })

  test('says that the till does not take what it is told', { timeout }, async () => {
    await shop.box.call('setSettings', { webhookUrl: 'http://127.0.0.1:9/hook' })
    await shop.box.send(chat(people[0]), 'One more')
    await waitFor(async () => (await shop.box.call('getWebhookStatus')).failing, 'a webhook that fails', 30_000)
    await tab.reload()
    await verdict('! The box sends, but something else needs you:')
    await tab.getByRole('link', { name: 'The till does not take what the box tells it.' }).waitFor()
    await soundInAllSizes('status with an alert')
    await shop.box.call('setSettings', { webhookUrl: '' })
  })

  test('follows a message also where statuses are not told to the till', { timeout }, async () => {
    await shop.box.call('setSettings', { outgoingWebhook: 'no', outgoingAPIMessageWebhook: 'no' })
    await waitFor(async () => (await shop.box.call('getSettings')).outgoingWebhook === 'no', 'the settings')
    await tab.goto(`${shop.box.url}/send`)
    await tab.getByLabel('Number', { exact: true }).fill(`+${people[0]}`)
    await tab.getByLabel('Text', { exact: true }).fill('Nobody is told of this')
    await tab.getByRole('button', { name: 'Send', exact: true }).click()
    await tab.getByText(/^✓✓ It has reached the phone/).waitFor()
    await tab.getByLabel('Number', { exact: true }).fill('+4915559999999')
    await tab.getByRole('button', { name: 'Send', exact: true }).click()
    await tab.getByText(/^This number is not on WhatsApp/).waitFor()
    await shop.box.call('setSettings', { outgoingWebhook: 'yes' })
  })

  test('tells serial number and slot, and how far an update has come', { timeout }, async () => {
    await tab.goto(`${shop.box.url}/box`)
    await tab.getByText('00000000c0ffee01').waitFor()
    const slot = tab.locator('.facts > div', { hasText: 'Started from slot' })
    assert.match(await slot.textContent(), /unknown/)
    const slow = await tab.context().newCDPSession(tab)
    await slow.send('Network.enable')
    await slow.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 400_000 })
    await tab.getByLabel('Update file (.raucb)').setInputFiles({ name: 'update.raucb', mimeType: 'application/octet-stream', buffer: Buffer.alloc(3_000_000, 7) })
    await tab.getByRole('button', { name: 'Install the update' }).click()
    const bar = tab.getByRole('progressbar', { name: 'How far the file has come' })
    await bar.waitFor()
    const share = () => bar.evaluate(one => one.value).catch(() => 1)
    await waitFor(async () => await share() > 0.1, 'a tenth')
    await soundInAllSizes('an update on its way')
    await slow.detach()
    await tab.getByText('The update is being installed.').waitFor()
  })

  test('gives its certificate where HTTPS listens', { timeout }, async () => {
    await tab.goto(`${shop.box.url}/settings`)
    const there = tab.getByRole('link', { name: /^https:\/\/127\.0\.0\.1:\d+\/$/ })
    await there.waitFor()
    await tab.getByRole('link', { name: /^Certificate of the box/ }).waitFor()
    const pem = await fetch(`${shop.box.url}/certificate.pem`)
    assert.equal(pem.status, 200)
    assert.match(await pem.text(), /BEGIN CERTIFICATE/)
  })

  test('says what WhatsApp has done to the number', { timeout }, async () => {
    await shop.sim.change(shop.phone, { restricted: true })
    await shop.box.send(chat(people[1]), 'hello')
    await waitFor(async () => (await shop.box.call('getThrottleStatus')).level === 'yellow', 'yellow', 20_000)
    await tab.goto(`${shop.box.url}/`)
    await verdict('! The box sends, but not to new customers.')
    const said = await tab.innerText('main')
    assert.match(said, /Yellow: WhatsApp restricts this number/)
    assert.ok(!said.includes('All is well'), said)
    await tab.getByText('Light: blinks fast').waitFor()
    await soundInAllSizes('status while WhatsApp restricts the number')
  })
})

describe('the focus of the keyboard', () => {
  let shop, browser, tab, wrong
  before(async () => {
    ({ shop, browser, tab, wrong } = await begin(() => ({ toml: '[receipts]\nform = "text"\n[printer.1]\nlisten = 0\n' })))
  }, { timeout })
  after(async () => {
    await browser?.close()
    await shop?.close()
  })
  const focused = () => tab.evaluate(() => document.activeElement === document.body ? '' : document.activeElement.outerHTML.slice(0, 200))
  const inForm = () => tab.evaluate(() => Boolean(document.activeElement.closest('.asks')) && document.activeElement.matches('input, select, textarea, button'))
  const press = async button => {
    await button.focus()
    await tab.keyboard.press('Enter')
  }

  test('goes into each grave form and back to its button', { timeout }, async () => {
    await shop.box.call('addOptOut', { chatId: '4915550001111@c.us', who: 'Ms Baker', reason: 'asked by phone' })
    await shop.box.call('pauseSending', { who: 'test' })
    await shop.box.call('sendMessage', { chatId: '4915550009999@c.us', message: 'Order 7' })
    for (const [view, names] of Object.entries({
      '/link': ['Unlink the phone'], '/settings': ['Make a new token'], '/optout': ['Remove'], '/throttle': ['Allow an exception'],
      '/queue': ['Do not send', 'Delete all that waits'], '/box': ['Restart the box', 'Replace this box\'s data by a backup', 'Reset']
    })) {
      await tab.goto(shop.box.url + view)
      for (const name of names) {
        const button = tab.getByRole('button', { name, exact: true })
        await press(button)
        assert.ok(await inForm(), `${view}, ${name}: ${await focused()}`)
        await press(tab.getByRole('button', { name: 'Cancel' }))
        assert.ok(await button.evaluate(one => one === document.activeElement), `${view}, ${name}: ${await focused()}`)
      }
    }
  })

  test('stays somewhere when what had it is gone, or is switched off for a while', { timeout }, async () => {
    await tab.goto(`${shop.box.url}/queue`)
    await press(tab.getByRole('button', { name: 'Do not send' }))
    await press(tab.getByRole('button', { name: 'Yes, delete this message' }))
    await tab.getByText('0 messages wait.').waitFor()
    assert.notEqual(await focused(), '')
    await tab.goto(`${shop.box.url}/`)
    await press(tab.getByRole('button', { name: 'Go on sending' }))
    await tab.getByRole('button', { name: 'Pause sending' }).waitFor()
    assert.notEqual(await focused(), '')
    await tab.goto(`${shop.box.url}/settings`)
    const save = tab.locator('form', { has: tab.getByLabel('webhookUrlToken') }).getByRole('button', { name: 'Save', exact: true })
    await press(save)
    await tab.getByText('Saved.').waitFor()
    assert.ok(await save.evaluate(one => one === document.activeElement), await focused())
  })

  test('goes to the code that is shown again', { timeout }, async () => {
    await shop.box.call('logout')
    await tab.clock.install()
    await tab.goto(`${shop.box.url}/link`)
    const code = tab.getByAltText(/QR code/)
    const again = tab.getByRole('button', { name: 'Show the code again' })
    await waitFor(async () => {
      await tab.clock.runFor(5000)
      return code.isVisible()
    }, 'a code', 30_000)
    await waitFor(async () => {
      await tab.clock.runFor(20_000)
      return again.isVisible()
    }, 'three minutes', 30_000)
    await press(again)
    assert.notEqual(await focused(), '')
    await tab.clock.resume()
    await code.waitFor()
    assert.ok(await code.evaluate(one => document.activeElement.contains(one) && document.activeElement !== document.body))
  })

  test('finds the pages for receipts where tills print through the box, and no certificate without HTTPS', { timeout }, async () => {
    await tab.goto(`${shop.box.url}/optout`)
    for (const name of ['Receipts', 'Counter']) await tab.getByRole('navigation').getByRole('link', { name }).waitFor()
    await tab.getByRole('navigation').getByRole('link', { name: 'Receipts' }).click()
    await tab.getByRole('heading', { name: 'Printers' }).waitFor()
    await tab.getByRole('link', { name: 'Posthorn' }).click()
    await tab.locator('.verdict').waitFor()
    await tab.goto(`${shop.box.url}/settings`)
    await tab.getByText('HTTPS is switched on in posthorn.toml').waitFor()
    assert.equal(await tab.getByRole('link', { name: /^Certificate/ }).count(), 0)
    const none = await fetch(`${shop.box.url}/certificate.pem`)
    assert.equal(none.status, 404)
    assert.match(await none.text(), /HTTPS is off.*https_port/)
  })

  test('hides numbers of those who want no messages until it is asked', { timeout }, async () => {
    await tab.goto(`${shop.box.url}/optout`)
    await tab.getByText('…1111').waitFor()
    assert.ok(!(await tab.content()).includes('4915550001111'))
    await tab.getByLabel('Show numbers').check()
    await tab.getByText('4915550001111').waitFor()
    assert.deepEqual(wrong.splice(0), [])
  })
})

describe('the official API in the browser', () => {
  let shop, browser, tab, wrong, hook, folder, graph
  before(async () => {
    hook = createServer((request, response) => {
      const query = new URL(request.url, 'http://hook').searchParams
      response.statusCode = query.get('hub.verify_token') === 'of-the-program' ? 200 : 403
      response.end(response.statusCode === 200 ? query.get('hub.challenge') : 'no')
    })
    await new Promise(resolve => hook.listen(0, '127.0.0.1', resolve))
    folder = mkdtempSync(join(tmpdir(), 'posthorn-page-cloud-'))
    const how = async sim => {
      graph = await new Graph(sim).start()
      writeFileSync(join(folder, 'token'), `${graph.token}\n`)
      return { toml: `[cloud]\nurl = "${graph.url}"\nphone_number_id = "${graph.number}"\nwaba_id = "${graph.waba}"\ntoken_file = "${folder}/token"\nreceipt_template = "receipt"\n` }
    }
    ({ shop, browser, tab, wrong } = await begin(how, { args: ['--cloud'] }))
    await tab.goto(`${shop.box.url}/cloud`)
  }, { timeout })
  after(async () => {
    await browser?.close()
    hook?.close()
    await shop?.close()
    if (folder) rmSync(folder, { recursive: true, force: true })
  })
  const { soundInAllSizes } = checksOf(() => ({ tab, wrong }))
  const official = () => tab.getByRole('region', { name: 'The official number' })
  const local = () => tab.getByRole('region', { name: 'This box as an official API' })
  const fact = name => official().locator('.facts > div', { hasText: name }).locator('dd').textContent()

  test('says unknown of what nobody has told the box', { timeout }, async () => {
    await official().getByText('sends and hears nothing back').waitFor()
    assert.equal(await fact('Open 24-hour windows'), 'unknown')
    // Whatever the box cannot know it answers as null.
    await tab.route('**/getOfficialStatus', async route => {
      const answer = await route.fetch()
      const told = await answer.json()
      await route.fulfill({ response: answer, json: { ...told, heldToday: null, month: { ...told.month, service: null, cost: null } } })
    })
    await tab.reload()
    await official().getByText('sends and hears nothing back').waitFor()
    for (const name of ['Service messages of', 'Cost of', 'Not written to for a day']) assert.equal(await fact(name), 'unknown', name)
    await soundInAllSizes('an official number of which little is known')
    await tab.unroute('**/getOfficialStatus')
  })

  test('says that it is paused, which is neither sending nor stopped', { timeout }, async () => {
    await graph.fault({ code: 368, later: false })
    await shop.box.send('4915550007777@c.us', 'Order 118: thank you', { transport: 'official' })
    await waitFor(async () => (await shop.box.call('getOfficialStatus')).pausedUntil, 'a pause', 20_000)
    await tab.reload()
    await official().getByText('It is paused and goes on by itself.').waitFor()
    assert.equal(await official().getByText('It sends.').count(), 0)
  })

  test('gives a program what it needs, and keeps where it is told', { timeout }, async () => {
    const { appSecret } = await shop.box.call('getCloudSettings', undefined, { token: shop.box.care })
    await tab.reload()
    await local().getByText('app_secret', { exact: true }).waitFor()
    assert.ok(!(await tab.content()).includes(appSecret))
    await local().getByRole('button', { name: 'Show: app_secret' }).click()
    await local().getByText(appSecret, { exact: true }).waitFor()
    const url = `http://127.0.0.1:${hook.address().port}/hook`
    await local().getByLabel(/^Address that the box tells/).fill(url)
    await local().getByRole('textbox', { name: 'verify_token' }).fill('another')
    await local().getByRole('button', { name: 'Save' }).click()
    await local().getByText(/is the verify token the same on both sides/).waitFor()
    await soundInAllSizes('a callback that was refused')
    await local().getByRole('textbox', { name: 'verify_token' }).fill('of-the-program')
    await local().getByRole('button', { name: 'Save' }).click()
    await local().getByText('Saved.').waitFor()
    await local().getByText('The callback takes what it gets.').waitFor()
    await local().locator('.copy', { hasText: 'verify_token' }).getByText('of-the-program').waitFor()
    assert.equal((await shop.box.call('getCloudStatus')).callbackUrl, url)
  })

  test('lists the templates of this box with what came of them', { timeout }, async () => {
    const { wabaId, phoneNumberId } = await shop.box.call('getCloudStatus')
    const post = (path, body) => fetch(`${shop.box.url}/v26.0/${path}`, {
      method: 'POST', headers: { authorization: `Bearer ${shop.box.token}`, 'content-type': 'application/json' }, body: JSON.stringify(body)
    })
    const made = await post(`${wabaId}/message_templates`, { name: 'ready', language: 'en_US', category: 'UTILITY', components: [{ type: 'BODY', text: 'Your order is ready.' }] })
    assert.equal(made.status, 200)
    const customer = await shop.sim.addAccount({ name: 'Anna' })
    const sent = await post(`${phoneNumberId}/messages`, { messaging_product: 'whatsapp', to: customer.phone, type: 'template', template: { name: 'ready', language: { code: 'en_US' } } })
    assert.equal(sent.status, 200)
    await tab.reload()
    await local().getByText('1 sent, 0 answered').waitFor()
    await soundInAllSizes('the templates of this box')
    assert.deepEqual(wrong.splice(0), [])
  })
})
