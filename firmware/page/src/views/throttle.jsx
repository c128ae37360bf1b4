import { useState } from 'preact/hooks'
import { call } from '../api.js'
import { useText } from '../i18n.js'
import { Card, Field, Grave, Missing, Said, useAction, usePolled } from '../ui.jsx'
import { Regulars } from './regulars.jsx'

const lookUp = async () => {
  const [status, audit] = await Promise.all([call('getThrottleStatus'), call('getThrottleAudit', { query: '?count=20' })])
  return { status, audit }
}

function Acknowledge() {
  const { t } = useText()
  const [who, setWho] = useState('')
  const [reason, setReason] = useState('')
  const action = useAction()
  const send = event => {
    event.preventDefault()
    action.run(() => call('acknowledgeThrottle', { body: { who, reason } }), t('ack.done'))
  }
  return (
    <form onSubmit={send}>
      <p>{t('ack.what')}</p>
      <Field label={t('who')} required autocomplete="name" value={who} onInput={e => setWho(e.target.value)} />
      <Field label={t('reason')} required autocomplete="off" minLength={10} value={reason} onInput={e => setReason(e.target.value)} />
      <button disabled={action.busy}>{t('ack.go')}</button>
      {action.line}
    </form>
  )
}

/** What may be doubled, and the window that counts it. */
const kLimits = { openings: 'openings_day', day: 'day', hour: 'hour', minute: 'minute', minute_reply: 'minute_reply', budget_30d: 'budget_30d' }

/** Twice as much of something, for some hours. */
function Overrides({ overrides }) {
  const { t, time, has } = useText()
  const [limit, setLimit] = useState('day')
  const [hours, setHours] = useState('4')
  const [who, setWho] = useState('')
  const [reason, setReason] = useState('')
  const action = useAction()
  const nameOf = name => has(`window.${kLimits[name]}`) ? t(`window.${kLimits[name]}`) : name
  const send = event => {
    event.preventDefault()
    action.run(() => call('addThrottleOverride', { body: { limit, hours: Number(hours), who, reason } }), t('saved'))
  }
  const end = name => action.run(() => call('endThrottleOverride', { body: { limit: name, who: 'page' } }), t('saved'))
  return (
    <>
      <p>{t('override.what')}</p>
      <ul class="list">{overrides.map(one => (
        <li key={one.limit}>
          <p><strong>{nameOf(one.limit)}</strong> · {t('override.until', { time: time(one.until) })}</p>
          <p class="small" dir="auto">{one.who}: {one.reason}</p>
          <button type="button" class="quiet" disabled={action.busy} onClick={() => end(one.limit)} aria-label={`${t('override.end')}: ${nameOf(one.limit)}`}>{t('override.end')}</button>
        </li>
      ))}</ul>
      <Grave label={t('override.add')}>{() => (
        <form onSubmit={send}>
          <div class="field">
            <label for="override-limit">{t('override.limit')}</label>
            <select id="override-limit" value={limit} onChange={e => setLimit(e.target.value)}>
              {Object.keys(kLimits).map(name => <option key={name} value={name}>{nameOf(name)}</option>)}
            </select>
          </div>
          <Field label={t('override.hours')} type="number" min="1" max="24" required dir="ltr" value={hours} onInput={e => setHours(e.target.value)} />
          <Field label={t('who')} required autocomplete="name" value={who} onInput={e => setWho(e.target.value)} />
          <Field label={t('reason')} required autocomplete="off" minLength={10} value={reason} onInput={e => setReason(e.target.value)} />
          <button class="grave" disabled={action.busy}>{t('override.go')}</button>
        </form>
      )}</Grave>
      {action.line}
    </>
  )
}

/** In the order in which they hold a shop back; what is not named here comes behind. */
const kFirst = ['day', 'openings_day', 'hour', 'minute', 'minute_reply', 'budget_30d', 'day_total']
const inOrder = windows => {
  const rank = name => kFirst.includes(name) ? kFirst.indexOf(name) : kFirst.length
  return Object.entries(windows).sort(([a], [b]) => rank(a) - rank(b))
}

export function Throttle() {
  const { t, time, has } = useText()
  const state = usePolled(lookUp, 5000)
  if (!state.value) return <Missing state={state} />
  const { status, audit } = state.value
  return (
    <>
      <Missing state={state} />
      <Card title={t('pace.title')}>
        <p class={`level ${status.level}`}><span class="sign" aria-hidden="true">{status.level === 'green' ? '●' : status.level === 'amber' ? '◆' : status.level === 'yellow' ? '▲' : '■'}</span> {t(`level.${status.level}`)}</p>
        <Said text={status.sentence} />
        {status.until && <p>{t('status.until', { time: time(status.until) })}</p>}
        <dl class="facts">{inOrder(status.windows).map(([name, one]) => (
          <div key={name}><dt>{has(`window.${name}`) ? t(`window.${name}`) : name}</dt>
            <dd>{t('of', { used: one.used, allowed: one.allowed })} <meter min={0} max={Math.max(one.allowed, 1)} value={Math.min(one.used, Math.max(one.allowed, 1))} aria-label={has(`window.${name}`) ? t(`window.${name}`) : name} /></dd></div>
        ))}</dl>
      </Card>
      {status.needsAcknowledgement && <Card title={t('ack.title')} tone="bad"><Acknowledge /></Card>}
      <Card title={t('override.title')}><Overrides overrides={status.overrides} /></Card>
      <Regulars count={status.regulars} />
      <Card title={t('audit.title')}>
        {audit.length === 0 ? <p>{t('audit.empty')}</p> : (
          <ul class="list">{audit.map(one => (
            <li key={one.number}><p class="small">{time(one.time)} · {one.who}</p><p lang="en" dir="ltr">{one.what}: {one.before} → {one.after} {one.reason}</p></li>
          ))}</ul>
        )}
      </Card>
    </>
  )
}
