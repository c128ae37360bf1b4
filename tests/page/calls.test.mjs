// Everything that the page does is a documented call of the API, and every documented call of the box's own is there.
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { open, scan } from './shop.mjs'

const source = join(import.meta.dirname, '../../firmware/page/src')
const filesBelow = folder => readdirSync(folder, { withFileTypes: true }).flatMap(entry =>
  entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [join(folder, entry.name)])

/** Names of methods in the page's source: call('name'), download('name'), upload('name'), and the names handed on to them. */
function calledByThePage() {
  const text = filesBelow(source).filter(file => /\.jsx?$/.test(file)).map(file => readFileSync(file, 'utf8')).join('\n')
  const names = [...text.matchAll(/\b(?:call|download|upload|say)\(\s*(?:[\w.]+ \? )?'([a-z]\w+)'(?: : '(\w+)')?/g)].flatMap(found => [found[1], found[2]])
  const handed = [...text.matchAll(/\bmethod="(\w+)"/g)].map(found => found[1])
  return [...new Set([...names, ...handed].filter(Boolean))].sort()
}

describe('the page and the description of the API', () => {
  let shop, described
  before(async () => {
    shop = await open()
    await scan(shop)
    await shop.box.authorized()
    const file = await (await fetch(`${shop.box.url}/openapi.json`)).json()
    described = Object.entries(file.paths).flatMap(([path, item]) => Object.entries(item)
      .filter(([verb]) => verb !== 'parameters')
      .map(([verb, operation]) => ({ path, verb, name: operation.operationId, tag: operation.tags[0] })))
  }, { timeout: 60_000 })
  after(() => shop?.close())

  test('what the page calls is described', () => {
    const names = calledByThePage()
    assert.ok(names.length > 40, `only ${names.length} calls were found in the page's source`)
    const missing = names.filter(name => !described.some(one => one.name === name))
    assert.deepEqual(missing, [])
  })

  test('what is described as the box\'s own is there', { timeout: 60_000 }, async () => {
    const own = described.filter(one => one.tag.startsWith('box'))
    assert.ok(own.length > 35, `${own.length}`)
    const wrong = []
    for (const { verb, name, tag } of own) {
      // Nothing is confirmed, named or uploaded: whatever is grave refuses.
      const ask = token => fetch(`${shop.box.url}/waInstance${shop.box.id}/${name}/${token}`, {
        method: verb.toUpperCase(), ...(verb === 'post' ? { body: '{}', headers: { 'Content-Type': 'application/json' } } : {})
      })
      const needsCare = tag.includes('careToken')
      if (needsCare && (await ask(shop.box.token)).status !== 403) wrong.push(`${name}: the till's token is not refused`)
      const answer = await ask(needsCare ? shop.box.care : shop.box.token)
      const text = await answer.text()
      if (answer.status === 403 || answer.status === 500 || (answer.status === 404 && !/backup/.test(text))) wrong.push(`${name}: ${answer.status} ${text}`)
    }
    assert.deepEqual(wrong, [])
    assert.equal(await shop.box.state(), 'authorized')
  })
})
