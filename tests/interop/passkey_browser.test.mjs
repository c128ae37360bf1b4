// The two ways by which a browser answers for a passkey, in a real one: the text pasted into the console, and the
// extension. The page stands at https://web.whatsapp.com as far as the browser knows; a virtual phone holds the passkey.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createHttp } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { Browser, findBrowser } from './lib/browser.mjs'
import { Daemon } from './lib/daemon.mjs'
import { Simulator } from './lib/simulator.mjs'
import { waitFor } from './lib/wait.mjs'

const timeout = 180_000
const extension = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'firmware', 'page', 'extension')
// As strict as such a page may be: a bar that needed inline styles or scripts would not work there.
const strict = "default-src 'none'; script-src 'self'; style-src 'self'; require-trusted-types-for 'script'"

const listen = server => new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server.address().port)))

describe('a passkey in a real browser', { skip: findBrowser() ? false : 'no Chromium here' }, () => {
  let folder, whatsapp, page, sim, browser, box, phone, scanned, asked, visits

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'posthorn-passkey-'))
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
      '-subj', '/CN=web.whatsapp.com', '-addext', 'subjectAltName=DNS:web.whatsapp.com',
      '-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')], { stdio: 'ignore' })
    visits = []
    const serve = (request, response) => {
      visits.push(`${request.headers.host}${request.url}`)
      response.setHeader('content-type', 'text/html; charset=utf-8')
      response.setHeader('content-security-policy', strict)
      response.end('<!doctype html><title>page</title><body><p>Hello</p>')
    }
    whatsapp = createHttps({ key: readFileSync(join(folder, 'key.pem')), cert: readFileSync(join(folder, 'cert.pem')) }, serve)
    page = createHttp(serve)
    const port = await listen(whatsapp)
    page.port = await listen(page)
    sim = await Simulator.start({ runFor: 600 })
    browser = await Browser.start(['--ignore-certificate-errors',
      `--host-resolver-rules=MAP web.whatsapp.com:443 127.0.0.1:${port}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`])
  }, { timeout })
  after(async () => {
    await browser?.stop()
    const violations = await sim?.violations()
    await box?.dispose()
    await sim?.stop()
    whatsapp?.close()
    page?.close()
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
    assert.deepEqual(violations, [])
  })

  beforeEach(async () => {
    await box?.dispose()
    phone = (await sim.addAccount()).phone
    await sim.change(phone, { passkey: true })
    await browser.addPasskey((await sim.account(phone)).passkey)
    box = await new Daemon(sim).start()
    scanned = sim.scan(await box.qrText(), phone)
    asked = await waitFor(async () => {
      const passkey = await box.call('getPasskey')
      return passkey.status === 'awaitingResponse' && passkey
    }, 'the question')
  }, { timeout })

  async function finish(answer) {
    assert.deepEqual(await box.call('sendPasskeyResponse', answer), { accepted: true })
    const compare = await waitFor(async () => {
      const passkey = await box.call('getPasskey')
      return passkey.status === 'awaitingConfirmation' && passkey
    }, 'the code')
    assert.equal(compare.code, (await sim.account(phone)).passkey.code)
    await box.call('confirmPasskey', { match: true })
    assert.equal((await scanned).phone, phone)
    await box.authorized()
  }

  test('pasted into the console', { timeout }, async () => {
    await browser.open('https://web.whatsapp.com/')
    await browser.evaluate(asked.snippet + '; 0')
    assert.match(await browser.evaluate('document.querySelector("#posthorn-passkey").textContent'), /asks for your passkey/)
    await browser.click('document.querySelector("#posthorn-passkey button")')
    const text = await waitFor(() => browser.evaluate('document.querySelector("#posthorn-passkey textarea")?.value'), 'the answer')
    await finish(JSON.parse(text))
  })

  test('by the extension, which brings the answer back to the box\'s page', { timeout }, async () => {
    await browser.send('Extensions.loadUnpacked', { path: extension })
    const options = Buffer.from(asked.optionsText).toString('base64url')
    const back = `http://127.0.0.1:${page.port}/link`
    await browser.open('about:blank')
    await browser.open(`https://web.whatsapp.com/#posthorn=${options}&back=${encodeURIComponent(back)}`)
    assert.match(await browser.evaluate('document.querySelector("#posthorn-passkey").textContent'), new RegExp(`goes to 127\\.0\\.0\\.1:${page.port}`))
    assert.equal(await browser.evaluate('location.hash'), '', 'the page itself does not see the question')
    await browser.click('document.querySelector("#posthorn-passkey button")')
    const answer = await waitFor(() => browser.evaluate('location.href.startsWith("http://127.0.0.1") && location.hash.slice(9)'), 'the way back')
    await finish(JSON.parse(Buffer.from(answer, 'base64url')))

    // Nobody outside the shop gets an answer.
    for (const stranger of ['https://evil.example/', 'http://10.evil.example/', 'javascript:alert(1)', 'http://8.8.8.8/']) {
      await browser.open('about:blank')
      await browser.open(`https://web.whatsapp.com/#posthorn=${options}&back=${encodeURIComponent(stranger)}`)
      assert.equal(await browser.evaluate('document.querySelector("#posthorn-passkey")'), null, stranger)
    }
    await browser.open('about:blank')
    await browser.open('https://web.whatsapp.com/')
    assert.equal(await browser.evaluate('document.querySelector("#posthorn-passkey")'), null, 'unasked')
    const hosts = new Set(visits.map(visit => visit.split('/')[0]))
    assert.deepEqual([...hosts].sort(), [`127.0.0.1:${page.port}`, 'web.whatsapp.com'])
  })

  test('by the page of the box: the extension leads there and back, the owner only confirms', { timeout }, async () => {
    const headers = { 'X-Posthorn': '1', 'content-type': 'application/json' }
    const body = JSON.stringify({ password: 'two-bretzels' })
    assert.equal((await fetch(`${box.url}/password`, { method: 'POST', headers, body })).status, 200)
    await browser.send('Extensions.loadUnpacked', { path: extension })
    await browser.open(`${box.url}/link`)
    await browser.evaluate(`fetch('/session', { method: 'POST', headers: ${JSON.stringify(headers)}, body: ${JSON.stringify(body)} }).then(a => a.status)`)
    await browser.open('about:blank')
    await browser.open(`${box.url}/link`)
    const link = 'document.querySelector("a.button[href^=\'https://web.whatsapp.com/#posthorn=\']")'
    await waitFor(() => browser.evaluate(`${link} !== null`), 'the way by the helper')
    await browser.evaluate(`${link}.closest('details').open = true; ${link}.scrollIntoView()`)
    await browser.evaluate(`${link}.click()`)
    await browser.click('document.querySelector("#posthorn-passkey button")')
    const code = await waitFor(() => browser.evaluate('document.querySelector(".code")?.textContent'), 'the code on the page')
    assert.equal(await browser.evaluate('location.href'), `${box.url}/link`)
    assert.equal(code, (await sim.account(phone)).passkey.code)
    await browser.evaluate('[...document.querySelectorAll("button")].find(one => one.textContent.startsWith("Yes")).click()')
    assert.equal((await scanned).phone, phone)
    await box.authorized()
  })
})
