// Debian's Chromium over its debugging pipe: no driver and no network of its own. Just enough for one page at a time.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { waitFor } from './wait.mjs'

/** The browser's program; null when there is none. */
export function findBrowser() {
  return [process.env.POSTHORN_BROWSER, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
    .find(path => path && existsSync(path)) ?? null
}

export class Browser {
  static async start(args = []) {
    const browser = new Browser()
    browser.folder = mkdtempSync(join(tmpdir(), 'posthorn-browser-'))
    browser.child = spawn(findBrowser(), [
      '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--remote-debugging-pipe',
      '--enable-unsafe-extension-debugging', `--user-data-dir=${browser.folder}`, ...args, 'about:blank'
    ], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] })
    browser.exited = new Promise(resolve => browser.child.once('exit', resolve))
    browser.waiting = new Map()
    browser.lastId = 0
    let text = ''
    browser.child.stdio[4].on('data', piece => {
      text += piece
      const messages = text.split('\0')
      text = messages.pop()
      for (const message of messages) browser.onMessage(JSON.parse(message))
    })
    const pages = await waitFor(async () => {
      const { targetInfos } = await browser.send('Target.getTargets')
      return targetInfos.filter(one => one.type === 'page').length > 0 && targetInfos
    }, 'a page of the browser', 30_000)
    const { targetId } = pages.find(one => one.type === 'page')
    browser.session = (await browser.send('Target.attachToTarget', { targetId, flatten: true })).sessionId
    await browser.page('Page.enable')
    return browser
  }

  onMessage({ id, result, error }) {
    const waits = this.waiting.get(id)
    if (!waits) return
    this.waiting.delete(id)
    if (error) waits.reject(new Error(JSON.stringify(error)))
    else waits.resolve(result)
  }

  send(method, params = {}, sessionId) {
    const id = ++this.lastId
    this.child.stdio[3].write(JSON.stringify({ id, method, params, sessionId }) + '\0')
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }))
  }

  page(method, params) { return this.send(method, params, this.session) }

  async open(url) {
    await this.page('Page.navigate', { url })
    await waitFor(() => this.evaluate('document.readyState === "complete"').catch(() => false), url)
  }

  async evaluate(expression) {
    const { result, exceptionDetails } = await this.page('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true })
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails))
    return result.value
  }

  /** A person's click into the middle of what `expression` gives. */
  async click(expression) {
    const box = await waitFor(() => this.evaluate(`(() => {
      const one = ${expression}
      if (!one) return null
      const { x, y, width, height } = one.getBoundingClientRect()
      return { x: x + width / 2, y: y + height / 2 }
    })()`), expression)
    for (const type of ['mousePressed', 'mouseReleased'])
      await this.page('Input.dispatchMouseEvent', { type, ...box, button: 'left', clickCount: 1 })
  }

  /** A phone with this passkey (base64: PKCS#8 key, id, user), that confirms by itself. */
  async addPasskey({ private_key: privateKey, credential_id: credentialId, user_handle: userHandle, rp_id: rpId }) {
    await this.page('WebAuthn.enable')
    if (this.phone) await this.page('WebAuthn.removeVirtualAuthenticator', { authenticatorId: this.phone })
    const { authenticatorId } = await this.page('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true
      }
    })
    this.phone = authenticatorId
    await this.page('WebAuthn.addCredential', {
      authenticatorId,
      credential: { credentialId, isResidentCredential: true, rpId, privateKey, userHandle, signCount: 0 }
    })
  }

  async stop() {
    this.child.kill('SIGKILL')
    await this.exited
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }
}
