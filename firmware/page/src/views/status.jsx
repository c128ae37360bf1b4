import { call, page } from '../api.js'
import { useText } from '../i18n.js'
import { Alerts, useAlerts } from '../alerts.jsx'
import { Bars } from '../bars.jsx'
import { Card, Missing, Said, phoneOf, useAction, usePolled } from '../ui.jsx'
import { lightOf, toneOf, verdictOf } from '../verdict.js'

const lookUp = async () => {
  const [health, account, throttle, activity] = await Promise.all([
    page('/healthz'), call('getWaSettings'), call('getThrottleStatus'), call('getActivity')
  ])
  return { health, account, throttle, activity }
}

export function Light({ kind }) {
  const { t } = useText()
  return <p class="light"><span class={`lamp ${kind}`} aria-hidden="true" /> {t('light')}: {t(`light.${kind}`)}</p>
}

function Tile({ name, value, wide }) {
  return <div class={wide ? 'tile wide' : 'tile'}><dt>{name}</dt><dd>{value}</dd></div>
}

/** Eight in the morning, by this device's clock. */
function minutesUntilMorning() {
  const morning = new Date()
  morning.setDate(morning.getDate() + 1)
  morning.setHours(8, 0, 0, 0)
  return Math.max(1, Math.round((morning - Date.now()) / 60_000))
}

/** Nothing leaves until its time is over, somebody says so, or the box starts anew. */
function Pause({ paused, until }) {
  const { t, time } = useText()
  const action = useAction()
  const say = (method, minutes) => action.run(() => call(method, { body: { who: 'page', minutes } }))
  const ways = [['status.pause'], ['status.pauseHour', () => 60], ['status.pauseMorning', minutesUntilMorning]]
  return (
    <>
      {paused && <p role="status">{until && <>{t('status.pausedUntil', { time: time(until) })} </>}{t('status.paused')}</p>}
      <div class="row">
        {paused
          ? <button type="button" class="quiet" disabled={action.busy} onClick={() => say('resumeSending')}>{t('status.resume')}</button>
          : ways.map(([key, minutes]) => (
            <button key={key} type="button" class="quiet" disabled={action.busy} onClick={() => say('pauseSending', minutes?.())}>{t(key)}</button>
          ))}
      </div>
      {action.line}
    </>
  )
}

/** What was sent since midnight by the box's clock; the hours are those of UTC. */
function sentToday({ now, zoneSeconds, clockTrusted, hours }) {
  if (!clockTrusted) return 0
  const midnight = now - (now + zoneSeconds) % 86_400
  return hours.filter(one => one.from >= midnight).reduce((sum, one) => sum + one.sent, 0)
}

/** "37 messages sent today. 2 wait until 08:00." */
function Counts({ health, throttle, activity, morning }) {
  const { t, clock } = useText()
  const sent = sentToday(activity)
  const asleep = morning === undefined ? 0 : Math.min(throttle.waitingForMorning, health.outboxJobs)
  const waits = health.outboxJobs - asleep
  const at = asleep > 0 && clock(new Date().setHours(0, morning, 0, 0) / 1000)
  const words = [
    sent > 0 && t('status.today', { count: sent }),
    asleep > 0 && t('status.morning', { count: asleep, time: at }),
    waits > 0 && t('queue.count', { count: waits })
  ].filter(Boolean)
  return words.length > 0 && <p>{words.join(' ')}</p>
}

export function Status({ go }) {
  const { t, number, time, clock } = useText()
  const state = usePolled(lookUp, 4000)
  const alerts = useAlerts()
  if (!state.value) return <Missing state={state} />
  const { health, account, throttle, activity } = state.value
  const verdict = verdictOf(health, throttle.paused, alerts.list.length > 0)
  const tone = toneOf(verdict, health)
  const short = unix => activity.clockTrusted && activity.now - unix < 43_200 ? clock(unix) : time(unix)
  const windows = throttle.windows ?? {}
  const openings = windows.openings_day
  const day = windows.day
  return (
    <>
      <Missing state={state} />
      <section class={`card ${tone}`} aria-live="polite">
        <p class="verdict"><span class="sign" aria-hidden="true">{tone === 'good' ? '✓' : tone === 'warn' ? '!' : '✕'}</span> {verdict === 'clock' ? t('status.clock') : t(`verdict.${verdict}`)}</p>
        <Alerts list={alerts.list} />
        <Counts health={health} throttle={throttle} activity={activity} morning={alerts.morning} />
        {health.throttle !== 'green' && <p>{t(`level.${health.throttle}`)}</p>}
        {health.link === 'notLinked' && <p><a class="button" href="/link">{t('status.link')}</a></p>}
        {health.until && <p>{t('status.until', { time: time(health.until) })}</p>}
        <Said text={health.whatToDo} />
        {throttle.needsAcknowledgement && <p><a class="button" href="/throttle">{t('status.acknowledge')}</a></p>}
        {!health.clockTrusted && health.link !== 'notLinked' && verdict !== 'clock' && <p>{t('status.clock')}</p>}
        <Light kind={lightOf(health)} />
        <Pause paused={throttle.paused} until={throttle.pausedUntil} />
      </section>
      <dl class="tiles">
        <Tile wide name={t('tile.number')} value={account.phone ? <span dir="ltr">+{phoneOf(account.phone)}</span> : t('none')} />
        <Tile name={t('tile.waiting')} value={number(health.outboxJobs)} />
        <Tile name={t('tile.oldest')} value={activity.oldestWaiting ? short(activity.oldestWaiting) : t('none')} />
        <Tile name={t('tile.unread')} value={number(health.inboxNotifications)} />
        {day && <Tile name={t('tile.today')} value={t('of', { used: day.used, allowed: day.allowed })} />}
        {openings && <Tile name={t('tile.new')} value={t('of', { used: openings.used, allowed: openings.allowed })} />}
        <Tile name={t('tile.contact')} value={health.link === 'online' ? t('now') : activity.lastContact ? short(activity.lastContact) : t('unknown')} />
        <Tile name={t('tile.clock')} value={activity.clockTrusted ? clock(activity.now) : t('unknown')} />
        <Tile name={t('tile.version')} value={<span dir="ltr">{health.version}</span>} />
      </dl>
      <Card title={t('bars.title')}><Bars hours={activity.hours} /></Card>
      <div class="row">
        <button type="button" class="quiet" onClick={() => go('/queue')}>{t('status.queue')}</button>
        <button type="button" class="quiet" onClick={() => go('/send')}>{t('status.test')}</button>
      </div>
    </>
  )
}
