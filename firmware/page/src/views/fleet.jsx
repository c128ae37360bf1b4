import { useState } from 'preact/hooks'
import { call } from '../api.js'
import { useText } from '../i18n.js'
import { Card, Field, Grave, Missing, useAction, usePolled } from '../ui.jsx'

function Enrol() {
  const { t } = useText()
  const [url, setUrl] = useState('')
  const [code, setCode] = useState('')
  const [pin, setPin] = useState('')
  const action = useAction()
  const send = event => {
    event.preventDefault()
    action.run(() => call('enrolFleet', { body: { url, code, pin } }).then(() => setCode('')), t('fleet.asked'))
  }
  return (
    <form onSubmit={send}>
      <p>{t('fleet.enrolWhat')}</p>
      <Field label={t('fleet.url')} type="url" required dir="ltr" autocomplete="off" placeholder="https://" value={url} onInput={e => setUrl(e.target.value)} />
      <Field label={t('fleet.code')} required dir="ltr" autocomplete="off" value={code} onInput={e => setCode(e.target.value)} />
      <details>
        <summary>{t('fleet.more')}</summary>
        <Field label={t('fleet.pin')} help={t('fleet.pinHelp')} dir="ltr" autocomplete="off" value={pin} onInput={e => setPin(e.target.value)} />
      </details>
      <button disabled={action.busy}>{t('fleet.enrol')}</button>
      {action.line}
    </form>
  )
}

function Leave() {
  const { t } = useText()
  const action = useAction()
  return (
    <>
      <Grave label={t('fleet.leave')}>{close => (
        <>
          <p>{t('fleet.leaveWhat')}</p>
          <button type="button" class="grave" disabled={action.busy}
            onClick={() => action.run(() => call('leaveFleet', { body: { confirm: 'leave' } }).then(close), t('fleet.asked'))}>{t('fleet.leaveSure')}</button>
        </>
      )}</Grave>
      {action.line}
    </>
  )
}

function Facts({ fleet }) {
  const { t, time, date, has } = useText()
  const last = fleet.lastCommand
  const status = last && (has(`fleet.command.${last.status}`) ? t(`fleet.command.${last.status}`) : last.status)
  const rows = [
    [t('fleet.org'), fleet.org],
    [t('fleet.box'), fleet.box],
    [t('fleet.host'), fleet.host],
    [t('fleet.since'), fleet.since && time(fleet.since)],
    [t('fleet.last'), last ? `${last.do}: ${status}${last.time ? `, ${time(last.time)}` : ''}` : t('none')],
    [t('fleet.certificate'), fleet.certificateUntil && date(fleet.certificateUntil)]
  ]
  return <dl class="facts">{rows.filter(([, value]) => value).map(([name, value]) => <div key={name}><dt>{name}</dt><dd dir="auto">{value}</dd></div>)}</dl>
}

export function Fleet() {
  const { t } = useText()
  const state = usePolled(() => call('getFleet'), 3000)
  const fleet = state.value
  if (!fleet) return <Missing state={state} />
  const word = !fleet.running ? fleet.enrolled ? 'silent' : 'absent' : fleet.wish !== 'none' ? 'wish' : !fleet.enrolled ? 'alone' : fleet.broker === 'connected' ? 'connected' : 'away'
  return (
    <>
      <Missing state={state} />
      <Card title={t('fleet.title')} tone={word === 'connected' ? 'good' : word === 'away' || word === 'silent' ? 'warn' : ''}>
        <p class={word === 'away' ? 'result bad' : 'result'} role="status">{t(`fleet.is.${word}`)}{' '}
          {word === 'away' && <span lang="en" dir="ltr">{fleet.detail}</span>}</p>
        {word === 'alone' && fleet.message && <p class="result bad" role="alert">{t('fleet.failed')} <span lang="en" dir="ltr">{fleet.message}</span></p>}
        {fleet.enrolled && <Facts fleet={fleet} />}
        {fleet.running && fleet.enrolled && <Leave />}
      </Card>
      {fleet.running && !fleet.enrolled && <Card title={t('fleet.enrol')}><Enrol /></Card>}
    </>
  )
}
