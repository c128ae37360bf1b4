"""posthornd and posthornctl as a technician meets them: box.py POSTHORND POSTHORNCTL [unittest options]

Without a WhatsApp: its address is a port that nobody listens on. Everything is on loopback.
"""
import http.client
import json
import os
import shutil
import socket
import ssl
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import unittest

POSTHORND, POSTHORNCTL = (os.path.abspath(p) for p in sys.argv[1:3])


class Box:
    """One posthornd with a folder of its own."""

    def __init__(self, more='', https_port=0, api=''):
        self.folder = tempfile.mkdtemp(prefix='posthorn-box-')
        self.data = os.path.join(self.folder, 'data')
        self.config = os.path.join(self.folder, 'posthorn.toml')
        with open(self.config, 'w') as file:
            file.write(f'''data_dir = "{self.data}"
[whatsapp]
url = "ws://127.0.0.1:9/"
[api]
listen = "127.0.0.1"
port = 0
https_port = {https_port}
{api}[board]
data = "{self.folder}/boards"
sysfs = "{self.folder}/sys"
device_tree = "{self.folder}/compatible"
{more}''')
        self.process = None

    def start(self):
        with open(os.path.join(self.folder, 'log'), 'a') as log:
            self.process = subprocess.Popen([POSTHORND, '--config', self.config], stdout=subprocess.PIPE,
                                            stderr=log, text=True,
                                            env={**os.environ, 'POSTHORN_RUN_DIR': self.path('run')})
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError('posthornd did not start:\n' + self.said())
        started = json.loads(line)
        self.url, self.https = started['url'], started['httpsUrl']
        with open(os.path.join(self.data, 'access.json')) as file:
            access = json.load(file)
        self.id, self.token = access['idInstance'], access['apiTokenInstance']
        self.care = access['careToken']
        return self

    def said(self):
        return content(os.path.join(self.folder, 'log'))

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def wait(self):
        """The exit status, once it has ended by itself."""
        status = self.process.wait(timeout=20)
        self.process.stdout.close()
        return status

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        return self.wait()

    def dispose(self):
        if self.process and self.process.poll() is None:
            self.stop()
        if self.process:
            self.process.stdout.close()
        shutil.rmtree(self.folder)

    def ctl(self, *arguments, text=None):
        """posthornctl as on the box: (exit status, stdout, stderr)"""
        done = subprocess.run([POSTHORNCTL, '--access', os.path.join(self.data, 'access.json'), *arguments],
                              capture_output=True, text=True, timeout=60, input=text)
        return done.returncode, done.stdout, done.stderr

    def call(self, method, *curl, token=None):
        """One call of the API by curl, with the technician's right: (HTTP status, body)"""
        return curl_(f'{self.url}/waInstance{self.id}/{method}/{token or self.care}', *curl)


def content(path):
    with open(path) as file:
        return file.read()


def curl_(url, *options):
    done = subprocess.run(['curl', '-s', '-m', '20', '-w', '\n%{http_code}', *options, url],
                          capture_output=True, text=True)
    body, _, status = done.stdout.rpartition('\n')
    return int(status or 0), body, done.returncode


class WithBox(unittest.TestCase):
    more = ''

    def setUp(self):
        self.box = Box(self.more).start()
        self.addCleanup(self.box.dispose)


class Https(WithBox):
    def curl(self, host, *options, path='/healthz'):
        port = self.box.https.rsplit(':', 1)[1]
        return curl_(f'https://{host}:{port}{path}', '--resolve', f'{host}:{port}:127.0.0.1', *options)

    def certificate(self):
        status, pem, _ = curl_(self.box.url + '/certificate.pem')
        self.assertEqual(status, 200)
        file = self.box.path('certificate.pem')
        with open(file, 'w') as out:
            out.write(pem + '\n')
        return file

    def test_who_trusts_the_certificate_speaks_to_the_same_api(self):
        file = self.certificate()
        status, body, _ = self.curl('posthorn.local', '--cacert', file)
        self.assertEqual(status, 200)
        self.assertEqual(json.loads(body)['status'], 'ok')
        path = f'/waInstance{self.box.id}/getStateInstance/{self.box.token}'
        for tls in '1.2', '1.3':
            status, body, _ = self.curl('posthorn.local', '--cacert', file, '--tlsv' + tls, '--tls-max', tls, path=path)
            self.assertEqual(status, 200)
            self.assertIn('stateInstance', body)

    def test_strangers_and_other_names_and_old_tls_are_refused(self):
        file = self.certificate()
        self.assertEqual(self.curl('posthorn.local')[2], 60)
        self.assertEqual(self.curl('elsewhere.local', '--cacert', file)[2], 60)
        self.assertNotEqual(self.curl('posthorn.local', '--cacert', file, '--tls-max', '1.1')[2], 0)

    def test_long_answers_and_many_requests_on_one_connection(self):
        file = self.certificate()
        port = self.box.https.rsplit(':', 1)[1]
        url = f'https://posthorn.local:{port}/metrics/{self.box.token}'
        done = subprocess.run(['curl', '-s', '-m', '20', '--cacert', file, '--resolve',
                               f'posthorn.local:{port}:127.0.0.1', *[url] * 50], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stdout.count('# TYPE posthorn_process_resident_memory_bytes'), 50)

    def test_a_tills_pool_of_forty_connections_works_at_once(self):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        port = int(self.box.https.rsplit(':', 1)[1])
        pool = [http.client.HTTPSConnection('127.0.0.1', port, timeout=20, context=context) for _ in range(40)]
        for one in pool:
            self.addCleanup(one.close)
            one.connect()
        for _ in range(2):
            for one in pool:
                one.request('GET', f'/waInstance{self.box.id}/getMessagesCount/{self.box.token}')
            for one in pool:
                answer = one.getresponse()
                answer.read()
                # 429: one token has its rate. A connection that was refused would answer nothing.
                self.assertIn(answer.status, (200, 429))

    def test_the_certificate_stays_over_a_restart(self):
        before = content(self.certificate())
        self.assertEqual(self.box.stop(), 0)
        self.box.start()
        self.assertEqual(content(self.certificate()), before)


class WithoutHttps(unittest.TestCase):
    def test_a_port_that_is_taken_does_not_keep_the_messages_waiting(self):
        with socket.create_server(('127.0.0.1', 0)) as taken:
            box = Box(https_port=taken.getsockname()[1]).start()
            self.addCleanup(box.dispose)
            self.assertEqual(box.https, '')
            self.assertEqual(curl_(box.url + '/healthz')[0], 200)
            self.assertEqual(curl_(box.url + '/certificate.pem')[0], 404)
            self.assertIn('https: not available', box.said())


class Updates(WithBox):
    def test_a_computer_of_a_package_manager_takes_no_bundle(self):
        bundle = self.box.path('update.raucb')
        with open(bundle, 'wb') as out:
            out.write(b'bundle')
        status, _, said = self.box.ctl('update', bundle)
        self.assertEqual(status, 1)
        self.assertIn('package manager', said)


class OnABoard(unittest.TestCase):
    """A board with slots, an LED and a hot processor."""

    def setUp(self):
        self.box = Box()
        self.addCleanup(self.box.dispose)
        os.makedirs(self.box.path('boards'))
        os.makedirs(self.box.path('sys/class/leds/ACT'))
        os.makedirs(self.box.path('sys/class/thermal/thermal_zone0'))
        for file, text in {'boards/generic.toml': 'name = "Test board"\nleds = ["ACT"]\nupdate = "rauc-uboot"\n',
                           'sys/class/leds/ACT/trigger': 'none [pattern]', 'sys/class/leds/ACT/pattern': '',
                           'sys/class/thermal/thermal_zone0/temp': '48312\n', 'compatible': ''}.items():
            with open(self.box.path(file), 'w') as out:
                out.write(text)
        self.box.start()

    def test_an_update_goes_to_root_whole(self):
        bundle = os.urandom(3_000_000)
        with open(self.box.path('update.raucb'), 'wb') as out:
            out.write(bundle)
        # Nobody is root here: the file is handed over, and whoever waits for its end waits.
        ctl = subprocess.Popen([POSTHORNCTL, '--access', self.box.path('data/access.json'), 'update',
                                self.box.path('update.raucb')], stdout=subprocess.PIPE, text=True)
        self.assertIn('requested', ctl.stdout.readline())
        ctl.kill()
        ctl.wait()
        ctl.stdout.close()
        with open(self.box.path('data/requests/update.raucb'), 'rb') as file:
            self.assertEqual(file.read(), bundle)

    def test_a_bundle_comes_by_curl_in_one_line_and_its_size_is_asked_for(self):
        file = self.box.path('bundle')
        with open(file, 'w') as out:
            out.write('abcdef')
        status, body, _ = self.box.call('uploadUpdate', '-T', file)
        self.assertEqual((status, json.loads(body)['received']), (200, 6))
        status, body, _ = self.box.call('installUpdate', '-d', '{"size": 5}')
        self.assertEqual(status, 400)
        self.assertIn('6 bytes', body)
        self.assertFalse(os.path.exists(self.box.path('data/requests/update.raucb')))
        status, body, _ = self.box.call('uploadUpdate', '-F', 'file=@' + file)
        self.assertEqual((status, json.loads(body)['received']), (200, 6))
        self.assertEqual(self.box.call('installUpdate', '-d', '{"size": 6}')[0], 200)
        self.assertEqual(content(self.box.path('data/requests/update.raucb')), 'abcdef')
        self.assertEqual(self.box.call('installUpdate', '-d', '{"size": 6}')[0], 400)
        self.assertEqual(os.listdir(self.box.path('data/files')), [])

    def test_what_is_told_of_the_update_before_is_not_told_of_this_one(self):
        def tell(state):
            os.makedirs(self.box.path('run'), exist_ok=True)
            with open(self.box.path('run/new'), 'w') as out:
                json.dump({'state': state, 'detail': ''}, out)
            os.rename(self.box.path('run/new'), self.box.path('run/update-status.json'))

        def state():
            return json.loads(self.box.call('getUpdateStatus')[1])['state']

        tell('installed')
        self.assertEqual(state(), 'installed')
        with open(self.box.path('bundle'), 'w') as out:
            out.write('abcdef')
        self.box.call('uploadUpdate', '-T', self.box.path('bundle'))
        self.assertEqual(self.box.call('installUpdate', '-d', '{"size": 6}')[0], 200)
        self.assertEqual(state(), 'requested')
        os.unlink(self.box.path('data/requests/update.raucb'))  # root begins with it
        self.assertEqual(state(), 'requested')
        tell('installed')
        self.assertEqual(state(), 'installed')

    def test_an_upload_with_the_tills_token_is_refused_before_it_comes(self):
        file = self.box.path('bundle')
        with open(file, 'wb') as out:
            out.truncate(50 << 20)
        status, body, _ = self.box.call('uploadUpdate', '-T', file, token=self.box.token)
        self.assertEqual(status, 403)
        self.assertIn('careToken', body)

    def test_what_the_board_does_not_tell_is_unknown(self):
        status, said, _ = self.box.ctl('board')
        self.assertEqual(status, 0)
        lines = dict(line.split(None, 1) for line in said.splitlines())
        self.assertEqual(lines['temperatureCelsius'].strip(), '48')
        self.assertEqual(lines['led'].strip(), 'yes')
        for name in 'underVoltage', 'storageWornPercent', 'watchdogArmed':
            self.assertEqual(lines[name].strip(), 'unknown')

    def test_the_led_says_that_a_phone_is_wanted_or_whatsapp_out_of_reach(self):
        self.assertNotEqual(content(self.box.path('sys/class/leds/ACT/pattern')), '')


class Rights(WithBox):
    """The till's token sends and receives; what touches the box itself is the technician's."""

    def test_the_tills_token_gets_no_backup_and_is_told_what_it_takes(self):
        for method, body in (('makeBackup', {'passphrase': 'long enough'}), ('restartBox', {'confirm': 'restart'}),
                             ('setThrottleSettings', {'who': 'till', 'hour_limit': 200}),
                             ('resetBox', {'what': 'everything', 'confirm': 'everything'})):
            status, said, _ = self.box.call(method, '-d', json.dumps(body), token=self.box.token)
            self.assertEqual(status, 403, method)
            self.assertIn('careToken', said)
        self.assertEqual(self.box.call('getSupportBundle', token=self.box.token)[0], 403)
        self.assertEqual(self.box.call('getStateInstance', token=self.box.token)[0], 200)
        self.assertEqual(self.box.call('getSupportBundle', '-o', '/dev/null')[0], 200)

    def test_posthornctl_takes_both_from_the_file_or_the_right_to_care_alone(self):
        file = self.box.path('bundle.tar.gz')
        self.assertEqual(self.box.ctl('diagnose', file)[0], 0)
        done = subprocess.run([POSTHORNCTL, '--url', self.box.url, '--id', str(self.box.id), '--care', self.box.care,
                               'status'], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        done = subprocess.run([POSTHORNCTL, '--url', self.box.url, '--id', str(self.box.id), '--token', self.box.token,
                               'diagnose', file + '2'], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn('--care', done.stderr)

    def test_a_file_from_before_gets_its_care_token(self):
        self.assertEqual(self.box.stop(), 0)
        old = json.loads(content(self.box.path('data/access.json')))
        self.assertEqual(len(old['careToken']), 50)
        self.box.start()
        self.assertEqual((self.box.token, self.box.care), (old['apiTokenInstance'], old['careToken']))


class Identity(WithBox):
    def test_a_damaged_database_costs_no_till_its_settings(self):
        before = self.box.id, self.box.token, self.box.care
        self.assertEqual(self.box.stop(), 0)
        with open(self.box.path('data/posthorn.db'), 'r+b') as file:
            file.write(bytes(65536))
        self.box.start()
        self.assertIn('set aside', self.box.said())
        self.assertEqual((self.box.id, self.box.token, self.box.care), before)


class OnlyHttps(unittest.TestCase):
    def test_the_network_has_https_alone_and_the_box_itself_still_http(self):
        box = Box(api='plain_http = false\n').start()
        self.addCleanup(box.dispose)
        self.assertTrue(box.url.startswith('http://127.0.0.1:'))
        self.assertNotEqual(box.https, '')
        self.assertEqual(box.ctl('status')[0], 0)


class Resets(WithBox):
    def test_a_reset_wants_a_word(self):
        status, body, _ = self.box.call('resetBox', '-d', '{"what": "everything"}')
        self.assertEqual(status, 400)
        self.assertIn('confirm', body)
        status, _, said = self.box.ctl('reset', 'everything', text='no\n')
        self.assertEqual(status, 1)
        self.assertIn('nothing was changed', said)

    def test_a_reset_that_cannot_be_written_down_is_refused_and_not_done_later(self):
        before = self.box.token
        shutil.rmtree(self.box.path('data/requests'), ignore_errors=True)
        with open(self.box.path('data/requests'), 'w'):
            pass
        status, body, _ = self.box.call('resetBox', '-d', '{"what": "settings", "confirm": "settings"}')
        self.assertEqual(status, 500, body)
        self.box.stop()
        self.box.start()
        self.assertEqual(self.box.token, before)

    def test_settings_are_forgotten_and_the_link_is_not(self):
        before = self.box.token
        self.assertEqual(self.box.ctl('reset', 'settings', '--yes')[0], 0)
        self.assertEqual(self.box.wait(), 0)
        self.assertTrue(os.path.exists(self.box.path('data/requests/reset-settings')))
        self.box.start()
        self.assertNotEqual(self.box.token, before)

    def test_everything_is_as_on_the_first_day(self):
        with open(self.box.path('data/left'), 'w'):
            pass
        before = self.box.id
        self.assertEqual(self.box.ctl('reset', 'everything', '--yes')[0], 0)
        self.assertEqual(self.box.wait(), 0)
        self.assertTrue(os.path.exists(self.box.path('data/requests/reset-everything')))
        self.box.start()
        self.assertNotEqual(self.box.id, before)
        self.assertFalse(os.path.exists(self.box.path('data/left')))

    def test_a_restart_is_roots(self):
        self.assertEqual(self.box.ctl('restart', '--yes')[0], 0)
        self.assertTrue(os.path.exists(self.box.path('data/requests/reboot')))
        self.assertEqual(self.box.ctl('reset', 'network', '--yes')[0], 0)


class SupportBundle(WithBox):
    more = '[network]\nproxy = "http://till:planted-proxy-word@10.0.0.5:3128"\n'

    def test_holds_what_helps_and_none_of_the_planted_secrets(self):
        number, text = '4915550001234', 'planted message text'
        self.box.call('sendMessage', '-H', 'Content-Type: application/json', '-d',
                      json.dumps({'chatId': number + '@c.us', 'message': text}))
        self.box.call('setSettings', '-d', json.dumps({'webhookUrl': 'http://127.0.0.1:9/', 'webhookUrlToken': 'planted-webhook-token'}))
        bundle = self.box.path('bundle.tar.gz')
        status, _, said = self.box.ctl('diagnose', bundle)
        self.assertEqual(status, 0, said)
        self.assertEqual(os.stat(bundle).st_mode & 0o777, 0o600)
        with tarfile.open(bundle) as tar:
            files = {member.name.split('/')[1]: tar.extractfile(member).read().decode() for member in tar}
        self.assertEqual(set(files), {'system.txt', 'status.json', 'board.json', 'config.toml', 'metrics.txt', 'throttle-audit.json', 'storage.txt', 'log.txt'})
        key = self.https_key()
        secrets = [number, text, self.box.token, str(self.box.id), 'planted-proxy-word', 'till:', 'planted-webhook-token',
                   *key.splitlines()[1:-1]]
        self.assertGreater(len(secrets), 9)
        for name, content_ in files.items():
            for secret in secrets:
                self.assertNotIn(secret, content_, name)
        self.assertIn('posthornd 0', files['system.txt'])
        self.assertIn('ready', files['log.txt'])
        self.assertIn('posthorn_queue_pending{queue="outbox"} 1', files['metrics.txt'])
        self.assertIn('outbox.ring', files['storage.txt'])
        self.assertIn('10.0.0.5:3128', files['config.toml'])
        self.assertIsNone(json.loads(files['board.json'])['temperatureCelsius'])
        # Never over a file that is there.
        self.assertEqual(self.box.ctl('diagnose', bundle)[0], 1)

    def https_key(self):
        # A running box lets nobody else into its database: a copy, with the log beside it.
        copy = self.box.path('copy.db')
        for tail in ('', '-wal'):
            shutil.copy(self.box.path('data/posthorn.db') + tail, copy + tail)
        db = sqlite3.connect(copy)
        (blob,) = db.execute("SELECT value FROM blobs WHERE name = 'https/certificate'").fetchone()
        db.close()
        return json.loads(blob)['key']


class Backup(WithBox):
    def passphrase(self, text='a long passphrase'):
        file = self.box.path('passphrase')
        with open(file, 'w') as out:
            out.write(text + '\n')
        return ['--passphrase-file', file]

    def test_a_dead_box_is_replaced_by_another(self):
        self.box.call('setSettings', '-d', json.dumps({'webhookUrl': 'http://10.9.8.7/hook'}))
        backup = self.box.path('shop.backup')
        status, said, error = self.box.ctl('backup', backup, *self.passphrase())
        self.assertEqual(status, 0, error)
        self.assertIn('Never run two boxes', said)
        with open(backup, 'rb') as file:
            sealed = file.read()
        for secret in self.box.token, str(self.box.id), '10.9.8.7':
            self.assertNotIn(secret.encode(), sealed)
        self.assertEqual(os.listdir(self.box.path('data/incoming')), [])

        other = Box().start()
        self.addCleanup(other.dispose)
        self.assertNotEqual(other.token, self.box.token)
        status, said, error = other.ctl('restore', backup, *self.passphrase(), '--yes')
        self.assertEqual(status, 0, error)
        self.assertIn('Never run two boxes', said)
        self.assertEqual(other.wait(), 0)
        other.start()
        self.assertEqual((other.id, other.token), (self.box.id, self.box.token))
        self.assertIn('10.9.8.7', other.call('getSettings')[1])
        self.assertEqual(os.listdir(other.path('data/incoming')), [])

    def test_a_wrong_passphrase_or_file_changes_nothing(self):
        backup = self.box.path('shop.backup')
        self.assertEqual(self.box.ctl('backup', backup, *self.passphrase())[0], 0)
        status, _, said = self.box.ctl('restore', backup, *self.passphrase('another passphrase'), '--yes')
        self.assertEqual(status, 1)
        self.assertIn('passphrase is wrong', said)
        with open(backup, 'w') as out:
            out.write('no backup at all, but long enough to be one')
        status, _, said = self.box.ctl('restore', backup, *self.passphrase(), '--yes')
        self.assertIn('no backup of a Posthorn', said)
        status, _, said = self.box.ctl('restore', backup, *self.passphrase(), text='\n')
        self.assertIn('nothing was changed', said)
        self.assertIsNone(self.box.process.poll())
        token = self.box.token
        self.box.stop()
        self.assertEqual(self.box.start().token, token)

    def test_a_short_passphrase_is_refused(self):
        status, _, said = self.box.ctl('backup', self.box.path('b'), *self.passphrase('short'))
        self.assertEqual(status, 1)
        self.assertIn('at least 8', said)
        self.assertFalse(os.path.exists(self.box.path('b')))


if __name__ == '__main__':
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
