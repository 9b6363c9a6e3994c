// SPDX-License-Identifier: Apache-2.0
// One headless Chromium, driven by its DevTools protocol over a pipe: Node's own modules are enough.
import { spawn } from 'node:child_process';

const FLAGS = ['--headless=new', '--no-sandbox', '--enable-unsafe-swiftshader', '--use-angle=swiftshader',
  '--no-first-run', '--disable-extensions', '--hide-scrollbars', '--remote-debugging-pipe'];

export class Browser {
  constructor(profile) {
    this.process = spawn('chromium', [...FLAGS, `--user-data-dir=${profile}`],
      { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    this.waiting = new Map();
    this.troubles = [];
    this.last = 0;
    let text = '';
    this.process.stdio[4].setEncoding('utf8').on('data', (chunk) => {
      const messages = (text + chunk).split('\0');
      text = messages.pop();
      for (const message of messages) this.onMessage(JSON.parse(message));
    });
    this.process.on('exit', () => {
      for (const { fail } of this.waiting.values()) fail(new Error('the browser ended'));
    });
  }

  onMessage({ id, result, error, method, params }) {
    if (id) {
      const { done, fail } = this.waiting.get(id);
      this.waiting.delete(id);
      if (error) fail(new Error(error.message));
      else done(result);
    } else if (method === 'Runtime.exceptionThrown') {
      this.troubles.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    } else if (method === 'Runtime.consoleAPICalled' && ['error', 'warning', 'assert'].includes(params.type)) {
      this.troubles.push(params.args.map((arg) => arg.value ?? arg.description).join(' '));
    } else if (method === 'Log.entryAdded' && params.entry.level === 'error') {
      this.troubles.push(params.entry.text);
    }
  }

  send(method, params = {}) {
    const id = ++this.last;
    this.process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId: this.session })}\0`);
    return new Promise((done, fail) => this.waiting.set(id, { done, fail }));
  }

  async open(url, { width, height, dark = false, touch = false }) {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    this.session = sessionId;
    for (const domain of ['Runtime', 'Log', 'Page']) await this.send(`${domain}.enable`);
    await this.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: touch });
    await this.send('Emulation.setTouchEmulationEnabled', { enabled: touch });
    await this.send('Emulation.setEmulatedMedia',
      { features: [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }] });
    await this.send('Page.navigate', { url });
  }

  async evaluate(expression) {
    const { result, exceptionDetails } =
      await this.send('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  async until(expression, what) {
    for (let tries = 0; tries < 300; ++tries) {
      if (await this.evaluate(expression)) return;
      await new Promise((done) => setTimeout(done, 100));
    }
    throw new Error(`still not so after 30 s: ${what}`);
  }

  // PNG of what is on the screen once two frames were drawn; of an element, when one is named.
  async picture(element) {
    await this.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    const clip = element && await this.evaluate(`(() => { const r = document.querySelector('${element}').getBoundingClientRect();
      return { x: r.x + scrollX, y: r.y + scrollY, width: r.width, height: r.height, scale: 1 }; })()`);
    const { data } = await this.send('Page.captureScreenshot', { format: 'png', clip });
    return Buffer.from(data, 'base64');
  }

  mouse(type, x, y, more = {}) {
    return this.send('Input.dispatchMouseEvent', { type, x, y, button: 'left', ...more });
  }

  touch(type, points) {
    return this.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y]) => ({ x, y })) });
  }

  async key(key, code, keyCode) {
    for (const type of ['keyDown', 'keyUp']) {
      await this.send('Input.dispatchKeyEvent', { type, key, code, windowsVirtualKeyCode: keyCode });
    }
  }

  // Comes back when the browser has written its last file.
  async close() {
    const ended = new Promise((done) => this.process.once('close', done));
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const impatient = setTimeout(() => this.process.kill('SIGKILL'), 10000);
    this.session = undefined;
    this.send('Browser.close').catch(() => {});
    await ended;
    clearTimeout(impatient);
  }

  // Ends the browser and this program: tells what failed and what stood on the console.
  async finish(failures) {
    await this.close();
    const all = [...failures, ...this.troubles.map((text) => `console: ${text}`)];
    for (const text of all) console.error(text);
    process.exit(all.length ? 1 : 0);
  }
}
