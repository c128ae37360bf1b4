// Makes the pictures of README.md, from a real box: tests/page/run --plain screenshots.mjs
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import { launch, openTab } from './browser.mjs'
import { firstStart, open } from './shop.mjs'

const folder = join(import.meta.dirname, '../../firmware/page/screenshots')
mkdirSync(folder, { recursive: true })
const shop = await open()
const browser = await launch()
try {
  const { tab } = await openTab(browser, shop.box.url, { viewport: { width: 360, height: 640 }, colorScheme: 'light' })
  await firstStart(shop, tab)
  await tab.screenshot({ path: join(folder, 'status.png') })
  await tab.goto(`${shop.box.url}/settings`)
  await tab.getByText('apiTokenInstance', { exact: true }).scrollIntoViewIfNeeded()
  await tab.screenshot({ path: join(folder, 'till.png') })
  await shop.box.call('logout')
  await tab.goto(`${shop.box.url}/link`)
  await tab.getByAltText(/QR code/).scrollIntoViewIfNeeded()
  await tab.screenshot({ path: join(folder, 'link.png') })
} finally {
  await browser.close()
  await shop.close()
}
