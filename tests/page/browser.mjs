// Debian's Chromium, driven by playwright-core; what a page must never do is noted while it runs.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
export const sizes = { narrow: { width: 360, height: 640 }, wide: { width: 1280, height: 800 } }

export async function launch(args = []) {
  const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
  if (!executablePath) throw new Error('Chromium is missing: apt-get install chromium (./tests/run installs it)')
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage', ...args] })
}

/** A tab at `url`; `wrong` fills with errors of scripts and with requests that leave the box. */
export async function openTab(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: sizes.wide, locale: 'en', reducedMotion: 'reduce', ...options })
  const tab = await context.newPage()
  tab.setDefaultTimeout(20_000)
  const wrong = []
  tab.on('pageerror', error => wrong.push(`script: ${error.message}`))
  tab.on('console', message => {
    // The browser's own line for a refused password or a value that is wrong; what the page says about it is looked at elsewhere.
    if (message.type() === 'error' && !/status of 4(00|01|03|09|29)/.test(message.text())) wrong.push(`console: ${message.text()}`)
  })
  tab.on('request', request => {
    const to = new URL(request.url())
    if (to.protocol !== 'data:' && to.protocol !== 'blob:' && to.origin !== new URL(url).origin) wrong.push(`leaves the box: ${request.url()}`)
  })
  await tab.goto(url)
  return { context, tab, wrong }
}

/** axe's violations by the four WCAG levels, one line each. */
export async function violations(tab) {
  if (!await tab.evaluate(() => 'axe' in globalThis)) {
    // Through the debugger: the page's own policy lets no foreign script in, which is as it should be.
    const session = await tab.context().newCDPSession(tab)
    await session.send('Runtime.evaluate', { expression: axe })
    await session.detach()
  }
  return tab.evaluate(async () => {
    const result = await globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'], resultTypes: ['violations'] })
    return result.violations.flatMap(one => one.nodes.map(node => `${one.id}: ${node.target.join(' ')} ${node.failureSummary.split('\n')[1] ?? ''}`))
  })
}

/** What sticks out of the window or out of its own box. */
export function cutOff(tab) {
  return tab.evaluate(() => {
    const found = []
    const width = document.documentElement.clientWidth
    if (document.documentElement.scrollWidth > width) found.push(`the page is ${document.documentElement.scrollWidth} wide in a window of ${width}`)
    for (const element of document.querySelectorAll('main *, header *')) {
      if (element.closest('.unseen, .skip, .log, option')) continue
      const box = element.getBoundingClientRect()
      if (box.width === 0) continue
      if (box.right > width + 1 || box.left < -1) found.push(`${element.tagName} "${element.textContent.slice(0, 30)}" sticks out`)
      const clips = getComputedStyle(element).overflowX !== 'visible' && !['INPUT', 'SELECT', 'TEXTAREA', 'METER'].includes(element.tagName)
      if (clips && element.scrollWidth > element.clientWidth + 1) found.push(`${element.tagName} "${element.textContent.slice(0, 30)}" is cut`)
    }
    return found
  })
}

/** Checks of a tab, { tab, wrong } of openTab() at each call: no state of the page may have a fault of access, be cut off or complain. */
export function checksOf(opened) {
  const sound = async where => {
    const { tab, wrong } = opened()
    const bad = [...await violations(tab), ...await cutOff(tab)]
    assert.deepEqual(bad, [], where)
    assert.deepEqual(wrong.splice(0), [], where)
  }
  const soundInAllSizes = async where => {
    for (const [size, viewport] of Object.entries(sizes)) {
      await opened().tab.setViewportSize(viewport)
      await sound(`${where}, ${size}`)
    }
  }
  return { sound, soundInAllSizes }
}
