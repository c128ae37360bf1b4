// The sentence above everything else: over every state of the box it says that all is well only when it is.
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'

import { lightOf, toneOf, verdictOf } from '../../firmware/page/src/verdict.js'

const folder = join(import.meta.dirname, '../../firmware/page/src/lang')
const texts = Object.fromEntries(readdirSync(folder).map(file => [file, JSON.parse(readFileSync(join(folder, file), 'utf8'))]))

const links = ['starting', 'notLinked', 'online', 'reconnecting', 'paused', 'blocked']
const levels = ['green', 'amber', 'yellow', 'red', 'black']
const both = [true, false]
const states = links.flatMap(link => levels.flatMap(throttle => both.flatMap(storageOk => both.flatMap(clockTrusted => both.flatMap(paused =>
  both.map(alerts => ({ health: { link, throttle, storageOk, clockTrusted }, paused, alerts })))))))

describe('the verdict of the page', () => {
  test('is that all is well in one state of all, and only that one is green', () => {
    const well = states.filter(({ health, paused, alerts }) => verdictOf(health, paused, alerts) === 'online')
    assert.deepEqual(well, [{ health: { link: 'online', throttle: 'green', storageOk: true, clockTrusted: true }, paused: false, alerts: false }])
    for (const { health, paused, alerts } of states) {
      const verdict = verdictOf(health, paused, alerts)
      assert.equal(toneOf(verdict, health) === 'good', verdict === 'online', JSON.stringify(health))
    }
  })

  test('puts first what a person must see to first', () => {
    const well = { link: 'online', throttle: 'green', storageOk: true, clockTrusted: true }
    const of = (change, paused = false, alerts = false) => {
      const health = { ...well, ...change }
      const verdict = verdictOf(health, paused, alerts)
      return `${verdict} ${toneOf(verdict, health)} ${lightOf(health)}`
    }
    assert.equal(of({ storageOk: false, link: 'blocked', throttle: 'black' }), 'storage bad fault')
    assert.equal(of({ link: 'notLinked', throttle: 'red' }), 'notLinked bad stopped')
    assert.equal(of({ throttle: 'red' }, true), 'stopped bad stopped')
    assert.equal(of({ throttle: 'black' }), 'stopped bad stopped')
    assert.equal(of({ link: 'reconnecting', throttle: 'yellow' }), 'reconnecting warn searching')
    assert.equal(of({ link: 'reconnecting', clockTrusted: false }), 'reconnecting warn clockless')
    assert.equal(of({}, true), 'held warn on')
    assert.equal(of({ throttle: 'yellow' }, true), 'held warn restricted')
    assert.equal(of({ throttle: 'yellow' }), 'yellow warn restricted')
    assert.equal(of({ throttle: 'amber' }), 'amber warn careful')
    assert.equal(of({}, false, true), 'alerts warn on')
  })

  test('has a text in every language', () => {
    const words = new Set(states.map(({ health, paused, alerts }) => verdictOf(health, paused, alerts)))
    words.delete('clock') // status.clock
    for (const [file, text] of Object.entries(texts)) {
      for (const word of words) assert.ok(text[`verdict.${word}`], `${file}: ${word}`)
      for (const { health } of states) assert.ok(text[`light.${lightOf(health)}`] && text[`help.${lightOf(health)}`], `${file}: ${lightOf(health)}`)
    }
  })
})
