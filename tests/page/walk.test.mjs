// Every view of the page in four languages, light and dark, narrow and wide, on a real box.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { checksOf, cutOff, launch, openTab, sizes, violations } from './browser.mjs'
import { Authenticator } from '../interop/lib/webauthn.mjs'
import { firstStart, logIn, open, openLoggedIn, password } from './shop.mjs'

const timeout = 170_000
const views = ['/', '/link', '/send', '/queue', '/messages', '/settings', '/box', '/network', '/throttle', '/optout', '/cloud', '/fleet', '/log', '/help']
const passkeyCode = /^[A-Z0-9]{4}-[A-Z0-9]{4}$/
const kLoadKiB = 45
const kLoadRequests = 8

describe('the page on a box fresh from the card', () => {
  let shop, browser, tab, wrong

  before(async () => {
    shop = await open()
    browser = await launch()
  }, { timeout })
  after(async () => {
    await browser?.close()
    await shop?.close()
  })

  const { sound, soundInAllSizes } = checksOf(() => ({ tab, wrong }))
  /** Light and dark, narrow and wide; axe, which is slow, looks at each theme and each size once. */
  async function soundInAllWays(where) {
    for (const [theme, first, second] of [['light', 'wide', 'narrow'], ['dark', 'narrow', 'wide']]) {
      await tab.locator('header select, footer select').nth(1).selectOption(theme)
      await tab.setViewportSize(sizes[first])
      assert.deepEqual(await cutOff(tab), [], `${where}, ${theme}, ${first}`)
      await tab.setViewportSize(sizes[second])
      await sound(`${where}, ${theme}, ${second}`)
    }
  }

  // English, and the language that takes the most bytes.
  for (const locale of ['en', 'ru']) test(`loads with few and small files in ${locale}`, { timeout }, async () => {
    const context = await browser.newContext({ locale })
    const first = await context.newPage()
    const session = await context.newCDPSession(first)
    await session.send('Network.enable')
    let bytes = 0
    let requests = 0
    session.on('Network.requestWillBeSent', () => { ++requests })
    session.on('Network.loadingFinished', event => { bytes += event.encodedDataLength })
    await first.goto(shop.box.url, { waitUntil: 'networkidle' })
    await context.close()
    console.log(`first load, ${locale}: ${requests} requests, ${(bytes / 1024).toFixed(1)} KiB`)
    assert.ok(requests <= kLoadRequests, `${requests} requests`)
    assert.ok(bytes <= kLoadKiB * 1024, `${bytes} bytes`)
  })

  test('leads its owner from the address to a test message and the till\'s data', { timeout }, async () => {
    ({ tab, wrong } = await openTab(browser, shop.box.url))
    await tab.getByRole('button', { name: 'Next', exact: true }).waitFor()
    await soundInAllSizes('welcome')
    const clicks = await firstStart(shop, tab)
    console.log(`first start: ${clicks} clicks`)
    assert.ok(clicks <= 8, `${clicks} clicks`)
    await soundInAllSizes('status after the first start')
    const received = await shop.sim.received(shop.customer, message => message.text.includes('test from the till'))
    assert.ok(received)
  })

  test('hides what is secret until it is asked for', { timeout }, async () => {
    await tab.goto(`${shop.box.url}/settings`)
    await tab.getByText('apiTokenInstance', { exact: true }).waitFor()
    assert.ok(!(await tab.content()).includes(shop.box.token))
    await tab.getByRole('button', { name: 'Show: apiTokenInstance' }).click()
    await tab.getByText(shop.box.token, { exact: true }).waitFor()
    await soundInAllSizes('token shown')
  })

  test('shows what was said, and pauses sending until it is told to go on', { timeout }, async () => {
    await tab.goto(`${shop.box.url}/messages`)
    const sent = tab.locator('.list li', { hasText: 'delivered' })
    await sent.first().waitFor()
    assert.ok(!(await tab.content()).includes('test from the till'))
    await tab.getByLabel('Show numbers and texts').check()
    await tab.getByText('test from the till').waitFor()
    await soundInAllSizes('what was said')
    await tab.getByLabel('How far back').selectOption({ label: 'the last 24 hours' })
    await tab.getByText('test from the till').waitFor()
    await tab.goto(`${shop.box.url}/`)
    await tab.getByRole('button', { name: 'Pause sending' }).click()
    await tab.getByText('Sending is paused.').waitFor()
    await soundInAllSizes('status while sending is paused')
    assert.equal((await shop.box.call('getThrottleStatus')).paused, true)
    await tab.getByRole('button', { name: 'Go on sending' }).click()
    await tab.getByText('Sending is paused.').waitFor({ state: 'detached' })
    assert.equal((await shop.box.call('getThrottleStatus')).paused, false)
    await tab.getByRole('button', { name: 'Pause for an hour' }).click()
    await tab.getByText(/^Until .*Sending is paused/).waitFor()
    const { paused, pausedUntil } = await shop.box.call('getThrottleStatus')
    assert.equal(paused, true)
    assert.ok(Math.abs(pausedUntil - Date.now() / 1000 - 3600) < 60, `${pausedUntil}`)
    await tab.getByRole('button', { name: 'Go on sending' }).click()
    await tab.getByText('Sending is paused.').waitFor({ state: 'detached' })
    assert.equal((await shop.box.call('getThrottleStatus')).pausedUntil, null)
  })

  test('draws the last 24 hours, and says them in words and in a table', { timeout }, async () => {
    await tab.goto(`${shop.box.url}/`)
    const bars = tab.getByRole('img', { name: '1 sent, 1 delivered, 0 failed.' })
    await bars.waitFor()
    assert.equal(await bars.locator('rect').count(), 72)
    const high = await bars.locator('rect').evaluateAll(all => all.filter(one => Number(one.getAttribute('height')) > 50).map(one => one.getAttribute('class')))
    assert.deepEqual(high, ['sent', 'delivered'])
    await tab.getByText('As a table').click()
    assert.equal(await tab.getByRole('table').locator('tbody tr').count(), 1)
    await soundInAllSizes('status with the table of the hours')
  })

  test('says before it sends what the pace will do, and sends a file', { timeout }, async () => {
    await tab.goto(`${shop.box.url}/send`)
    await tab.getByLabel('Number', { exact: true }).fill('+4915550008888')
    await tab.getByText('new customer').waitFor()
    await tab.getByLabel('Number', { exact: true }).fill(`+${shop.customer}`)
    await tab.getByLabel('Text', { exact: true }).fill('Your bill')
    await tab.getByLabel('File (instead of only text)').setInputFiles({ name: 'bill.txt', mimeType: 'text/plain', buffer: Buffer.from('2,40') })
    await tab.getByRole('button', { name: 'Send', exact: true }).click()
    await tab.getByText(/^✓/).waitFor()
    await soundInAllSizes('a file that was sent')
    assert.deepEqual(wrong.splice(0), [])
  })

  test('allows an exception of the pace for some hours, and ends it', { timeout }, async () => {
    await tab.goto(`${shop.box.url}/throttle`)
    const card = tab.getByRole('region', { name: 'Exceptions for some hours' })
    await card.getByRole('button', { name: 'Allow an exception' }).click()
    await card.getByLabel('Your name').fill('Ms Baker')
    await card.getByLabel('Reason').fill('Street festival, many orders')
    await soundInAllSizes('an exception that is asked for')
    await tab.getByLabel('What is doubled').selectOption('day')
    await tab.getByRole('button', { name: 'Allow it' }).click()
    await tab.getByText('Ms Baker: Street festival, many orders').waitFor()
    const [override] = (await shop.box.call('getThrottleStatus')).overrides
    assert.equal(override.limit, 'day')
    await tab.getByRole('button', { name: 'End it now' }).click()
    await tab.getByText('Ms Baker: Street festival').first().waitFor({ state: 'detached' })
  })

  test('shows what waits, and deletes it when it is told to', { timeout }, async () => {
    // Without a link nothing can leave.
    await shop.box.call('logout')
    await shop.box.call('sendMessage', { chatId: '4915550009999@c.us', message: 'Order 7 is ready' })
    await tab.goto(`${shop.box.url}/queue`)
    await tab.getByText('1 message waits.').waitFor()
    assert.ok(!(await tab.content()).includes('Order 7'))
    await tab.getByLabel('Show numbers and texts').check()
    await tab.getByText('Order 7 is ready').waitFor()
    await shop.box.call('sendMessage', { chatId: '4915550009998@c.us', message: 'Order 8 is ready' })
    const second = tab.locator('.list li', { hasText: 'Order 8' })
    await second.getByRole('button', { name: 'Do not send' }).click()
    await soundInAllSizes('one message with its question')
    await second.getByRole('button', { name: 'Yes, delete this message' }).click()
    await second.waitFor({ state: 'detached' })
    await tab.getByText('1 message waits.').waitFor()
    await tab.getByRole('button', { name: 'Delete all that waits' }).click()
    await soundInAllSizes('queue with its question')
    await tab.getByRole('button', { name: 'Delete all that waits' }).click()
    await tab.getByText('0 messages wait.').waitFor()
    shop.phone = (await shop.sim.scan(await shop.box.qrText())).phone
    await shop.box.authorized()
  })

  test('tells a wrong password in words', { timeout }, async () => {
    const other = await openTab(browser, `${shop.box.url}/link`)
    await other.tab.getByLabel('Password of this page').fill('not-the-one')
    await other.tab.getByRole('button', { name: 'Log in', exact: true }).click()
    await other.tab.getByText('That was not right.').waitFor()
    assert.deepEqual(await violations(other.tab), [])
    await logIn(other.tab)
    await other.tab.getByText(/Linked with/).waitFor()
    assert.deepEqual(other.wrong, [])
    await other.context.close()
  })

  for (const language of ['en', 'ru', 'de', 'ar']) {
    test(`is sound in ${language}`, { timeout }, async () => {
      await tab.goto(`${shop.box.url}/`)
      await tab.locator('footer select').first().selectOption(language)
      await tab.waitForFunction(code => document.documentElement.lang === code, language)
      assert.equal(await tab.evaluate(() => document.documentElement.dir), language === 'ar' ? 'rtl' : 'ltr')
      for (const view of views) {
        const link = tab.locator(`nav a[href="${view}"]`)
        if (!await link.isVisible()) await tab.locator('nav summary').click()
        await link.click()
        await tab.waitForFunction(path => location.pathname === path, view)
        await tab.waitForFunction(() => !document.querySelector('.loading'))
        await soundInAllWays(`${view} in ${language}`)
      }
      const text = await tab.evaluate(() => document.body.innerText)
      assert.ok(!/\b(undefined|null|NaN|\{\w+\})\b/.test(text), text)
      await tab.locator('footer select').first().selectOption('en')
    })
  }

  test('is sound where it asks before it does something grave', { timeout }, async () => {
    for (const [view, names] of Object.entries({
      '/link': ['Unlink the phone'], '/settings': ['Make a new token'],
      '/box': ['Restart the box', 'Replace this box\'s data by a backup', 'Reset']
    })) {
      await tab.goto(shop.box.url + view)
      for (const name of names) await tab.getByRole('button', { name, exact: true }).click()
      await soundInAllSizes(`${view} with its questions open`)
    }
  })

  test('makes another token, and the old one is refused', { timeout }, async () => {
    const old = shop.box.token
    await tab.goto(`${shop.box.url}/settings`)
    await tab.getByRole('button', { name: 'Make a new token', exact: true }).click()
    await tab.getByRole('button', { name: 'Make a new token', exact: true }).click()
    await tab.getByText('There is a new token.').waitFor()
    await tab.getByRole('button', { name: 'Show: apiTokenInstance' }).click()
    shop.box.token = (await tab.locator('.copy code').nth(2).textContent()).trim()
    assert.match(shop.box.token, /^[0-9a-f]{50}$/)
    assert.notEqual(shop.box.token, old)
    assert.equal(await shop.box.state(), 'authorized')
    await assert.rejects(shop.box.call('getStateInstance', undefined, { token: old }), { status: 401 })
  })

  test('makes a backup and reads it from the box', { timeout }, async () => {
    await tab.goto(`${shop.box.url}/box`)
    await tab.getByLabel('Password of the backup').fill('a-good-passphrase')
    const saved = tab.waitForEvent('download')
    await tab.getByRole('button', { name: 'Make and save a backup', exact: true }).click()
    assert.equal((await saved).suggestedFilename(), 'posthorn.backup')
    await tab.getByText('The backup is saved on this device.').waitFor()
    assert.deepEqual(wrong.splice(0), [])
  })

  test('says what to do when the link is lost, and links again', { timeout }, async () => {
    await tab.goto(`${shop.box.url}/`)
    await shop.box.call('logout')
    await tab.getByText('No phone is linked.').waitFor()
    await soundInAllSizes('status without a link')
    await tab.getByRole('link', { name: 'Link the shop\'s phone' }).click()
    await tab.getByAltText(/QR code/).waitFor()
    await soundInAllSizes('link with a code')
    shop.phone = (await shop.sim.scan(await shop.box.qrText())).phone
    await tab.getByText(`Linked with +${shop.phone}`).waitFor()
  })

  test('links by 8 characters where there is no camera', { timeout }, async () => {
    await shop.box.call('logout')
    await tab.goto(`${shop.box.url}/link`)
    await tab.getByText('No camera?').click()
    const account = await shop.sim.addAccount({ name: 'Another shop' })
    await tab.getByLabel('Number of the shop\'s phone').fill(`+${account.phone}`)
    await tab.getByRole('button', { name: 'Show 8 characters', exact: true }).click()
    const code = (await tab.locator('.code').textContent()).replace('-', '')
    await soundInAllSizes('link with 8 characters')
    await shop.sim.linkCode(account.phone, code)
    await tab.getByText(`Linked with +${account.phone}`).waitFor()
  })

  test('shows no old numbers as new while the box is away, and comes back', { timeout }, async () => {
    await tab.goto(`${shop.box.url}/`)
    await tab.getByText('All is well.').waitFor()
    await tab.context().setOffline(true)
    await tab.getByText(/No contact with the box since/).waitFor()
    assert.deepEqual(await violations(tab), [])
    await tab.context().setOffline(false)
    await tab.getByText(/No contact with the box since/).waitFor({ state: 'detached' })
    wrong.length = 0 // the browser's own lines about the line that was cut
  })

  test('finds out that a box whose plug was pulled is silent, and since when', { timeout }, async () => {
    await tab.goto(`${shop.box.url}/`)
    await tab.getByText('All is well.').waitFor()
    const heard = Date.now()
    // A pulled plug is no refusal: nothing comes back at all.
    const swallowed = []
    await tab.route('**/healthz', route => { swallowed.push(route) })
    await tab.getByText(/No contact with the box since/).waitFor()
    assert.ok(Date.now() - heard < 20_000, `${Date.now() - heard} ms`)
    const told = await tab.getByText(/No contact with the box since/).textContent()
    const minute = at => new Date(at).toLocaleTimeString('en', { hour: 'numeric', minute: '2-digit' })
    assert.ok([heard - 5000, heard, heard + 5000].some(at => told.includes(minute(at).slice(0, -3))), `${told} at ${minute(heard)}`)
    await tab.unroute('**/healthz')
    await tab.getByText(/No contact with the box since/).waitFor({ state: 'detached' })
    await Promise.all(swallowed.map(route => route.abort().catch(() => {})))
    wrong.length = 0
  })

  test('works without script at /plain', { timeout }, async () => {
    const context = await browser.newContext({ javaScriptEnabled: false })
    const plain = await context.newPage()
    await plain.goto(`${shop.box.url}/plain`)
    await plain.getByLabel('Password of this page').fill(password)
    await plain.getByRole('button', { name: 'Log in' }).click()
    await plain.getByText('connected', { exact: true }).waitFor()
    await plain.getByRole('button', { name: 'Log out' }).click()
    await plain.getByLabel('Password of this page').waitFor()
    await context.close()
  })
})

describe('the page while WhatsApp asks for a passkey', () => {
  let shop, browser, tab, wrong
  const { soundInAllSizes } = checksOf(() => ({ tab, wrong }))

  before(async () => {
    shop = await open()
    browser = await launch();
    ({ tab, wrong } = await openLoggedIn(shop, browser, '/link'))
  }, { timeout })
  after(async () => {
    await browser?.close()
    await shop?.close()
  })

  test('leads through four steps, and links nothing when the codes differ', { timeout }, async () => {
    const account = await shop.sim.addAccount({ name: 'A careful shop' })
    await shop.sim.change(account.phone, { passkey: true })
    const { passkey } = await shop.sim.account(account.phone)
    const phone = new Authenticator({ key: passkey.private_key, id: passkey.credential_id, userHandle: passkey.user_handle })
    const answered = async () => {
      await tab.getByText(/^Time left/).waitFor()
      assert.equal((await tab.locator('.steps [aria-current=step]').textContent()).trim(), 'Passkey')
      const asked = await shop.box.call('getPasskey')
      return JSON.stringify(phone.get(asked.options))
    }
    const give = async text => {
      await tab.getByLabel('The answer').fill(text)
      await tab.getByRole('button', { name: 'Give it to the box', exact: true }).click()
    }
    const refused = shop.sim.scan(await shop.box.qrText(), account.phone).catch(error => error)
    const first = await answered()
    await soundInAllSizes('the question for the passkey')
    await give(first.slice(0, -20))
    await tab.getByText('That is not the whole answer').waitFor()
    await give(first)
    await tab.getByText(passkeyCode).waitFor()
    assert.equal((await tab.locator('.steps [aria-current=step]').textContent()).trim(), 'Compare')
    await soundInAllSizes('the codes to compare')
    await tab.getByRole('button', { name: 'No, another one', exact: true }).click()
    await tab.getByAltText(/QR code/).waitFor()
    await soundInAllSizes('after codes that differed')
    assert.ok(await refused instanceof Error)

    const scanned = shop.sim.scan(await shop.box.qrText(), account.phone)
    await give(await answered())
    await tab.getByText(passkeyCode).waitFor()
    assert.equal((await tab.locator('.code').textContent()).trim(), (await shop.sim.account(account.phone)).passkey.code)
    await tab.getByRole('button', { name: 'Yes, the same code', exact: true }).click()
    shop.phone = (await scanned).phone
    await tab.getByText(`Linked with +${shop.phone}`).waitFor()
    assert.deepEqual(wrong.splice(0), [])
  })
})
