// What a web page from elsewhere, a frame, a foreign name, a guesser and a planted cookie try.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { after, before, describe, test } from 'node:test'

import { launch } from './browser.mjs'
import { open, password, scan } from './shop.mjs'

const timeout = 90_000

describe('attacks on the page', () => {
  let shop, browser, context, tab, evil, cookie

  before(async () => {
    shop = await open()
    await scan(shop)
    await shop.box.authorized()
    // evil.example is another site on this machine; rebound.example is a name of the attacker's that means the box.
    browser = await launch(['--host-resolver-rules=MAP *.example 127.0.0.1'])
    context = await browser.newContext()
    tab = await context.newPage()
    await tab.goto(shop.box.url)
    const status = await tab.evaluate(secret => fetch('/password', {
      method: 'POST', headers: { 'X-Posthorn': '1' }, body: JSON.stringify({ password: secret })
    }).then(answer => answer.status), password)
    assert.equal(status, 200)
    cookie = (await context.cookies())[0]
    evil = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>evil</title>'))
    evil.listen(0, '127.0.0.1')
    await once(evil, 'listening')
  }, { timeout })
  after(async () => {
    await browser?.close()
    evil?.close()
    await shop?.close()
  })

  /** From a tab of the same browser, whose owner is logged in at the box. */
  const evilTab = async () => {
    const other = await context.newPage()
    await other.goto(`http://evil.example:${evil.address().port}/`)
    return other
  }
  const raw = (path, headers = {}, method = 'GET', body) => new Promise((resolve, reject) => {
    const asked = request(shop.box.url + path, { method, headers }, response => {
      let text = ''
      response.on('data', piece => { text += piece })
      response.on('end', () => resolve({ status: response.statusCode, text, headers: response.headers }))
    })
    asked.on('error', reject)
    asked.end(body)
  })
  const logIn = (given, headers = {}) => raw('/session', { 'X-Posthorn': '1', ...headers }, 'POST', JSON.stringify({ password: given }))
  const withCookie = { Cookie: '' }

  test('the cookie is kept from scripts and from other sites', { timeout }, async () => {
    assert.equal(cookie.httpOnly, true)
    assert.equal(cookie.sameSite, 'Strict')
    assert.equal(await tab.evaluate(() => document.cookie), '')
    withCookie.Cookie = `${cookie.name}=${cookie.value}`
    const own = await raw(`/waInstance${shop.box.id}/getAccess`, { ...withCookie, 'X-Posthorn': '1' })
    assert.equal(own.status, 200)
  })

  test('a foreign page logs nobody out, sets nothing and reads nothing', { timeout }, async () => {
    const other = await evilTab()
    const tried = await other.evaluate(async ({ box, id }) => {
      const paths = [`/waInstance${id}/logout`, `/waInstance${id}/getAccess`, `/waInstance${id}/setSettings`, '/session', '/healthz']
      const read = []
      for (const path of paths) {
        const post = { method: 'POST', body: '{"webhookUrl":"http://evil.example/"}' }
        for (const options of [{}, post, { ...post, headers: { 'X-Posthorn': '1' } }]) {
          try {
            const answer = await fetch(box + path, { credentials: 'include', ...options })
            if (answer.ok) read.push(`${path} ${await answer.text()}`)
          } catch { /* refused by the browser, as it should be */ }
        }
        await new Promise(done => { const picture = new Image(); picture.onload = picture.onerror = done; picture.src = box + path })
      }
      return read
    }, { box: shop.box.url, id: shop.box.id })
    assert.deepEqual(tried, [])
    assert.equal(await shop.box.state(), 'authorized')
    assert.equal((await shop.box.call('getSettings')).webhookUrl, '')
    await other.close()
  })

  test('a foreign form does nothing', { timeout }, async () => {
    for (const [path, type, fields] of [['/plain', 'application/x-www-form-urlencoded', { do: 'leave' }],
      ['/session', 'text/plain', { '{"password":"x","': '"}' }], [`/waInstance${shop.box.id}/setSettings`, 'text/plain', { '{"webhookUrl":"http://evil.example/","x': '":1}' }]]) {
      const other = await evilTab()
      const [answer] = await Promise.all([
        other.waitForResponse(response => response.url().startsWith(shop.box.url)),
        other.evaluate(({ action, type, fields }) => {
          const form = Object.assign(document.createElement('form'), { method: 'post', action, enctype: type })
          for (const [name, value] of Object.entries(fields)) form.append(Object.assign(document.createElement('input'), { name, value }))
          document.body.append(form)
          form.submit()
        }, { action: shop.box.url + path, type, fields })
      ])
      assert.ok([401, 403].includes(answer.status()), `${path}: ${answer.status()}`)
      await other.close()
    }
    assert.equal((await shop.box.call('getSettings')).webhookUrl, '')
  })

  test('with the cookie stolen into a request, the header and the origin still count', { timeout }, async () => {
    const path = `/waInstance${shop.box.id}/getAccess`
    for (const headers of [{}, { 'X-Posthorn': '0' }, { 'X-Posthorn': '1', 'Sec-Fetch-Site': 'cross-site' },
      { 'X-Posthorn': '1', 'Sec-Fetch-Site': 'same-site' }, { 'X-Posthorn': '1', 'Sec-Fetch-Site': 'none' }]) {
      const answer = await raw(path, { ...withCookie, ...headers })
      assert.equal(answer.status, 401, JSON.stringify(headers))
      assert.ok(!answer.text.includes(shop.box.token))
    }
  })

  test('nobody frames the page', { timeout }, async () => {
    const other = await evilTab()
    for (const path of ['/', '/plain', '/link']) {
      await other.evaluate(source => new Promise(done => {
        const frame = document.createElement('iframe')
        frame.onload = done
        frame.src = source
        document.body.append(frame)
      }), shop.box.url + path)
      const frame = other.frames().at(-1)
      assert.ok(!frame.url().startsWith(shop.box.url), `${path} is framed: ${frame.url()}`)
    }
    await other.close()
  })

  test('a name of somebody else\'s gets nothing', { timeout }, async () => {
    const other = await context.newPage()
    const port = new URL(shop.box.url).port
    for (const path of ['/', '/plain', '/session', '/assets/x.js', `/waInstance${shop.box.id}/getAccess/${shop.box.care}`]) {
      const answer = await other.goto(`http://rebound.example:${port}${path}`)
      assert.equal(answer.status(), 421, path)
      assert.ok(!(await answer.text()).includes(shop.box.token))
    }
    for (const host of ['evil.example', 'posthorn.local.evil.example', '127.0.0.1.evil.example']) {
      assert.equal((await raw('/session', { Host: host })).status, 421, host)
      assert.equal((await logIn(password, { Host: host })).status, 421, host)
    }
    await other.close()
  })

  test('an id that was planted before the login opens nothing after it', { timeout }, async () => {
    const victim = await browser.newContext()
    const planted = 'a'.repeat(32)
    await victim.addCookies([{ name: cookie.name, value: planted, url: shop.box.url }])
    const page = await victim.newPage()
    await page.goto(shop.box.url)
    await page.getByLabel('Password of this page').fill(password)
    await page.getByRole('button', { name: 'Log in', exact: true }).click()
    await page.getByRole('navigation').waitFor()
    const after = (await victim.cookies()).find(one => one.name === cookie.name)
    assert.notEqual(after.value, planted)
    assert.match(after.value, /^[0-9a-f]{32}$/)
    const path = `/waInstance${shop.box.id}/getAccess`
    assert.equal((await raw(path, { Cookie: `${cookie.name}=${planted}`, 'X-Posthorn': '1' })).status, 401)
    await victim.close()
  })

  test('guessing is slow, one guess at a time, and tells nothing by its time', { timeout }, async () => {
    // Ten at once: one is looked at, the others are told to wait, whatever they guess.
    const began = performance.now()
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => logIn(i === 5 ? password : `wrong-guess-${i}`)))
    assert.equal(answers.filter(answer => answer.status === 429).length, 9, answers.map(answer => answer.status).join())
    assert.ok(performance.now() - began >= 490)
    const times = []
    for (const guess of ['x', 'wrong-guess', `${password}!`, 'y'.repeat(4000)]) {
      const start = performance.now()
      assert.equal((await logIn(guess)).status, 401)
      times.push(performance.now() - start)
    }
    // Each pause is twice the one before: 10,000 of the longest are more than 22 hours.
    times.forEach((time, i) => assert.ok(time >= Math.min(8000, 1000 * 2 ** i) - 50, `${i}: ${time}`))
    console.log(`wrong passwords held back: ${times.map(time => Math.round(time)).join(', ')} ms`)
  })
})
