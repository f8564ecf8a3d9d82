/**
 * A real VS Code workbench (code-server) in a real browser, sealed off from the user's own: its home, its settings and
 * its extensions are in a folder that goes when the test ends. `Makefile` installs what this needs.
 */

import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const EXTENSION = join(ROOT, 'editors/vscode');
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(process.env.HOME, '.cache'), 'sage-git-editors');
const CODE_SERVER = join(CACHE, 'bin/code-server');
const PROGRAMS = process.env.SAGE_PROGRAMS ?? join(ROOT, '.venv/bin');
const { chromium } = createRequire(join(EXTENSION, 'package.json'))('playwright-core');

/** How long something may take that a person waits for. */
export const SOON_MS = 45_000;

const SETTINGS = {
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.colorTheme': 'Default Dark Modern',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'chat.disableAIFeatures': true,
  'security.workspace.trust.enabled': false,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'update.mode': 'none',
  'telemetry.telemetryLevel': 'off',
  'git.openRepositoryInParentFolders': 'never',
  'editor.minimap.enabled': false,
  'editor.hover.delay': 100,
  'files.autoSave': 'off',
  'window.commandCenter': false,
};

/** A folder with a home of its own, in which nobody's git configuration is. */
export class Place {
  constructor() {
    this.path = mkdtempSync(join(tmpdir(), 'sage-workbench-'));
    this.environment = {
      PATH: `${join(CACHE, 'bin')}:${process.env.PATH}`,
      HOME: join(this.path, 'home'),
      LANG: 'C.UTF-8',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: 'Grace Hopper',
      GIT_AUTHOR_EMAIL: 'grace@example.org',
      GIT_COMMITTER_NAME: 'Grace Hopper',
      GIT_COMMITTER_EMAIL: 'grace@example.org',
      SAGE_ACTOR: '',
      SHELL: '/bin/sh',
    };
    mkdirSync(this.environment.HOME);
    this.prefer(PROGRAMS);
  }

  /** Let programs be found in `folder` first: by the workbench too, which asks a login shell, whose PATH is its own. */
  prefer(folder) {
    this.environment.PATH = `${folder}:${this.environment.PATH}`;
    writeFileSync(join(this.environment.HOME, '.profile'), `export PATH='${this.environment.PATH}'\n`);
  }

  program(name) {
    return join(PROGRAMS, name);
  }

  run(program, args, options = {}) {
    return execFileSync(program, args, { cwd: this.path, env: this.environment, encoding: 'utf8', stdio: 'pipe', ...options });
  }

  /** The repository of `sage-git demo`: plans, an agent, a merge, and one change that nobody answered for. */
  demo(name = 'shop') {
    this.run('sage-git', ['demo', name]);
    return join(this.path, name);
  }

  /** A workspace of several folders. */
  workspace(...folders) {
    const file = join(this.path, 'all.code-workspace');
    writeFileSync(file, JSON.stringify({ folders: folders.map((path) => ({ path })) }));
    return file;
  }

  remove() {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** The workbench with `folder` open, which may be a workspace of several. Close it. */
export class Workbench {
  static async open(place, folder, { settings = {}, environment = {}, size = { width: 1360, height: 820 } } = {}) {
    const workbench = new Workbench();
    try {
      await workbench.#serve(place, { ...SETTINGS, ...settings }, { ...place.environment, ...environment });
      workbench.#browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
      workbench.page = await workbench.#browser.newPage({ viewport: size, deviceScaleFactor: 2 });
      workbench.page.setDefaultTimeout(SOON_MS);
      workbench.folder = folder;
      await workbench.show();
      return workbench;
    } catch (error) {
      await workbench.close();
      throw error;
    }
  }

  #server;
  #browser;
  #address;

  async #serve(place, settings, environment) {
    const user = join(place.path, 'user');
    // Where a program is, is a setting of the machine; everything else is one of the user.
    for (const scope of ['User', 'Machine']) {
      mkdirSync(join(user, scope), { recursive: true });
      writeFileSync(join(user, scope, 'settings.json'), JSON.stringify(settings));
    }
    const folders = ['--user-data-dir', user, '--extensions-dir', join(place.path, 'extensions')];
    const vsix = join(EXTENSION, 'dist/sage-git.vsix');
    place.run(CODE_SERVER, [...folders, '--install-extension', vsix], { env: environment });
    const quiet = ['--auth', 'none', '--disable-telemetry', '--disable-update-check', '--disable-getting-started-override'];
    this.#server = spawn(CODE_SERVER, [...folders, ...quiet, '--bind-addr', '127.0.0.1:0'], {
      cwd: place.path,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#address = await new Promise((found, failed) => {
      let said = '';
      const listen = (text) => {
        said += text;
        const address = /listening on http:\/\/(127\.0\.0\.1:\d+)/.exec(said)?.[1];
        if (address) found(address);
      };
      this.#server.stdout.setEncoding('utf8').on('data', listen);
      this.#server.stderr.setEncoding('utf8').on('data', listen);
      this.#server.once('exit', (status) => failed(new Error(`code-server left with ${status}: ${said}`)));
    });
  }

  /** Load the workbench anew, with `path` (beneath the folder, or absolute) in the editor if one is named. */
  async show(path) {
    const file = path && JSON.stringify([['openFile', `vscode-remote://${this.#address}${resolve(this.folder, path)}`]]);
    const payload = file ? `&payload=${encodeURIComponent(file)}` : '';
    const opened = this.folder.endsWith('.code-workspace') ? 'workspace' : 'folder';
    await this.page.goto(`http://${this.#address}/?${opened}=${encodeURIComponent(this.folder)}${payload}`);
    await this.page.locator('.monaco-workbench .statusbar').waitFor({ timeout: 60_000 });
    if (path) await this.page.locator('.editor-instance .view-lines').first().waitFor({ timeout: SOON_MS });
  }

  /** Run a command by its name in the palette, opened anew where what still loads has closed it or is not in it yet. */
  async command(name) {
    const row = this.page.locator('.quick-input-list .monaco-list-row', { hasText: name }).first();
    const end = Date.now() + SOON_MS;
    for (;;) {
      try {
        await this.page.keyboard.press('F1');
        await this.page.locator('.quick-input-widget input').first().fill(`>${name}`, { timeout: 5_000 });
        return await row.click({ timeout: 5_000 });
      } catch (error) {
        if (Date.now() > end) throw error;
        await this.page.keyboard.press('Escape');
      }
    }
  }

  /** Answer the question that the workbench asks. */
  async answer(text) {
    const input = this.page.locator('.quick-input-widget input').first();
    await input.waitFor();
    await input.fill(text);
    await this.page.keyboard.press('Enter');
  }

  /** The line of the editor that has `text`. */
  line(text) {
    return this.page.locator('.view-line', { hasText: text }).first();
  }

  async saw(locator) {
    await locator.first().waitFor({ timeout: SOON_MS });
    return locator.first();
  }

  async screenshot(name) {
    await this.page.screenshot({ path: join(process.env.SAGE_SCREENS ?? tmpdir(), name) });
  }

  async close() {
    await this.#browser?.close();
    if (!this.#server || this.#server.exitCode !== null) return;
    const gone = new Promise((left) => this.#server.once('exit', left));
    // The whole group: an extension host waits for hours for its window to come back.
    process.kill(-this.#server.pid);
    await gone;
  }
}
