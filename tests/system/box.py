"""posthornd and posthornctl as a technician meets them: box.py POSTHORND POSTHORNCTL [unittest options]

Without a WhatsApp: its address is a port that nobody listens on. Everything is on loopback.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

POSTHORND, POSTHORNCTL = (os.path.abspath(p) for p in sys.argv[1:3])


class Box:
    """One posthornd with a folder of its own."""

    def __init__(self, more=''):
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
https_port = 0
[board]
data = "{self.folder}/boards"
sysfs = "{self.folder}/sys"
device_tree = "{self.folder}/compatible"
{more}''')
        self.process = None

    def start(self):
        with open(os.path.join(self.folder, 'log'), 'a') as log:
            self.process = subprocess.Popen([POSTHORND, '--config', self.config], stdout=subprocess.PIPE,
                                            stderr=log, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError('posthornd did not start:\n' + self.said())
        started = json.loads(line)
        self.url, self.https = started['url'], started['httpsUrl']
        with open(os.path.join(self.data, 'access.json')) as file:
            access = json.load(file)
        self.id, self.token = access['idInstance'], access['apiTokenInstance']
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

    def call(self, method, *curl):
        """One call of the API by curl: (HTTP status, body)"""
        return curl_(f'{self.url}/waInstance{self.id}/{method}/{self.token}', *curl)


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
        url = f'https://posthorn.local:{port}/metrics'
        done = subprocess.run(['curl', '-s', '-m', '20', '--cacert', file, '--resolve',
                               f'posthorn.local:{port}:127.0.0.1', *[url] * 50], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stdout.count('# TYPE posthorn_process_resident_memory_bytes'), 50)

    def test_the_certificate_stays_over_a_restart(self):
        before = content(self.certificate())
        self.assertEqual(self.box.stop(), 0)
        self.box.start()
        self.assertEqual(content(self.certificate()), before)


if __name__ == '__main__':
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
