import { call } from '../api.js'
import { useText } from '../i18n.js'
import { Card, Copy, Missing, Said, useAction, usePolled } from '../ui.jsx'

const lookUp = async () => {
  const [official, local] = await Promise.all([call('getOfficialStatus'), call('getCloudStatus')])
  return { official, local }
}

const unixOf = iso => Date.parse(iso) / 1000

function Facts({ official }) {
  const { t, number, time, has } = useText()
  const { windows, month, templates } = official
  const own = official.number
  const quality = own?.qualityRating
  const money = month.cost == null ? t('unknown') : `${number(month.cost)} ${month.currency}`
  const rows = [
    [t('cloud.number'), own && `${own.displayPhoneNumber} ${own.verifiedName ?? ''}`],
    [t('cloud.quality'), quality && (has(`cloud.quality.${quality}`) ? t(`cloud.quality.${quality}`) : quality)],
    [t('cloud.limit'), own?.messagingLimit],
    [t('cloud.mode'), official.mode],
    [t('cloud.transport'), has(`cloud.transport.${official.transport}`) ? t(`cloud.transport.${official.transport}`) : official.transport],
    [t('tile.waiting'), number(official.waiting)],
    [t('cloud.sums'), t('cloud.counted', { sent: official.sent, failed: official.failed })],
    [t('cloud.windows'), windows.known ? number(windows.open) : t('unknown')],
    [t('cloud.held'), number(official.heldToday)],
    [t('cloud.service', { month: month.month }), t('of', { used: month.service, allowed: month.freeService })],
    [t('cloud.cost', { month: month.month }), money],
    [t('cloud.read'), own?.readAt && time(unixOf(own.readAt))],
    [t('cloud.templates'), templates && number(templates.known)]
  ]
  return <dl class="facts">{rows.filter(([, value]) => value).map(([name, value]) => <div key={name}><dt>{name}</dt><dd dir="auto">{value}</dd></div>)}</dl>
}

function Templates({ list }) {
  const { t } = useText()
  if (!list?.length) return null
  return (
    <details>
      <summary>{t('cloud.templates')}</summary>
      <ul class="list">{list.map(one => (
        <li key={`${one.name}${one.language}`}><p><strong dir="ltr">{one.name}</strong> <span class="tag" dir="ltr">{one.language}</span> <span class="tag" dir="ltr">{one.status}</span> <span class="small" dir="ltr">{one.category}</span></p></li>
      ))}</ul>
    </details>
  )
}

/** The second way out: a number at WhatsApp's official API. */
function Official({ official }) {
  const { t, time } = useText()
  const test = useAction()
  const resume = useAction()
  if (!official.on) return <p>{t('cloud.off')}</p>
  return (
    <>
      <p class={official.works ? 'result good' : 'result bad'} role="status">{t(official.works ? 'cloud.works' : 'cloud.stopped')}</p>
      <Said text={official.sentence} />
      {official.pausedUntil && <p>{t('status.until', { time: time(unixOf(official.pausedUntil)) })}</p>}
      <Facts official={official} />
      <Templates list={official.templates?.list} />
      <div class="row">
        <button type="button" class="quiet" disabled={test.busy} onClick={() => test.run(() => call('testOfficial', { body: {} }), t('cloud.tested'))}>{t('cloud.test')}</button>
        {(!official.works || official.pausedUntil) && (
          <button type="button" disabled={resume.busy} onClick={() => resume.run(() => call('resumeOfficial', { body: {} }), t('saved'))}>{t('cloud.resume')}</button>
        )}
      </div>
      {test.line}
      {resume.line}
    </>
  )
}

export function Cloud() {
  const { t } = useText()
  const state = usePolled(lookUp, 10_000)
  if (!state.value) return <Missing state={state} />
  const { official, local } = state.value
  return (
    <>
      <Missing state={state} />
      <Card title={t('cloud.title')}><Official official={official} /></Card>
      <Card title={t('cloud.local')}>
        <p>{t('cloud.localWhat')}</p>
        <Copy label="phone_number_id" value={String(local.phoneNumberId)} />
        <Copy label="waba_id" value={String(local.wabaId)} />
        {local.callbackUrl && <Said text={local.sentence} />}
        {local.failing && <Said text={local.whatToDo} />}
      </Card>
    </>
  )
}
