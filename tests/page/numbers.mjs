// What a page that stays open costs the box: tests/page/run --plain numbers.mjs [MINUTES]. By hand; says how long it looked.
import { readFileSync } from 'node:fs'

import { launch, openTab } from './browser.mjs'
import { firstStart, open } from './shop.mjs'

const minutes = Number(process.argv[2] ?? 60)
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))
const shop = await open({ runFor: Math.ceil(minutes * 60) + 600 })
const browser = await launch()

function state() {
  const status = readFileSync(`/proc/${shop.box.process.pid}/status`, 'utf8')
  const [, line] = readFileSync(`/proc/${shop.box.process.pid}/stat`, 'utf8').split(') ')
  const fields = line.split(' ')
  return { kib: Number(/VmRSS:\s+(\d+)/.exec(status)[1]), cpu: (Number(fields[11]) + Number(fields[12])) / 100 }
}

try {
  const { context, tab } = await openTab(browser, shop.box.url)
  await firstStart(shop, tab)
  await tab.goto('about:blank')
  await sleep(70_000) // the daemon gives memory back once a minute
  const alone = state()
  await sleep(60_000)
  const aloneLater = state()
  await tab.goto(shop.box.url)
  await tab.getByText('All is well.').waitFor()
  const began = state()
  let most = 0
  for (let minute = 1; minute <= minutes; ++minute) {
    await sleep(60_000)
    most = Math.max(most, state().kib)
    if (minute % 5 === 0) console.log(`after ${minute} min: ${state().kib} KiB`)
  }
  const ended = state()
  console.log(`without a page: ${alone.kib} KiB, a minute later ${aloneLater.kib} KiB, ${((aloneLater.cpu - alone.cpu) / 60 * 100).toFixed(2)} % of a CPU`)
  console.log(`with / open for ${minutes} min: ${ended.kib} KiB at the end, ${most} KiB at most: ${((ended.kib - aloneLater.kib) / 1024).toFixed(2)} MiB more, ` +
    `${((ended.cpu - began.cpu) / (minutes * 60) * 100).toFixed(2)} % of a CPU`)
  await context.close()
} finally {
  await browser.close()
  await shop.close()
}
