/** What a person sees and does with the extension, in a real workbench. One workbench a scenario. */

import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { Place, SOON_MS, Workbench } from './workbench.mjs';

const SOURCE = 'shop/billing.py';
const OPEN_LINE = 'return net';

let place;
let shop;
let workbench;

beforeEach(() => {
  place = new Place();
  shop = place.demo();
});

afterEach(async (context) => {
  if (workbench && !context.passed) await workbench.screenshot(`failed-${context.name.replace(/\W+/g, '-')}.png`);
  await workbench?.close();
  workbench = undefined;
  place.remove();
});

const read = (path) => readFileSync(join(shop, path), 'utf8');
const write = (path, text) => writeFileSync(join(shop, path), text);
const page = () => workbench.page;
const squiggle = (kind) => page().locator(`.monaco-editor .squiggly-${kind}`);
const status = (text) => page().locator('.statusbar-item', { hasText: text });

/** What is drawn behind a line of the editor, which is in no element's text. */
async function drawnBehind(text) {
  return page().waitForFunction(
    (wanted) =>
      [...document.querySelectorAll('.view-line span')]
        .map((span) => getComputedStyle(span, '::after').content)
        .find((content) => content.includes(wanted)),
    text,
    { timeout: SOON_MS },
  );
}

/** So that a picture has nothing in it that comes and goes. */
const STILL = {
  'editor.lightbulb.enabled': 'off',
  'editor.occurrencesHighlight': 'off',
  'git.blame.statusBarItem.enabled': false,
  'workbench.reduceMotion': 'on',
};

for (const [theme, name] of [
  ['Default Dark Modern', 'vscode-dark.png'],
  ['Default Light Modern', 'vscode-light.png'],
]) {
  test(`an open source tells who changed it, and what nobody answered for (${theme})`, async () => {
    workbench = await Workbench.open(place, shop, { settings: { ...STILL, 'workbench.colorTheme': theme } });
    await workbench.show(SOURCE);
    await workbench.saw(page().locator('.codelens-decoration', { hasText: 'Ada Lovelace' }));
    await workbench.saw(squiggle('warning'));
    await workbench.saw(status('1 open'));
    await workbench.command('Sage: Show History of This File');
    await workbench.saw(page().locator('.monaco-list-row', { hasText: 'Follow the new tax law' }));
    const line = workbench.line(OPEN_LINE);
    await workbench.line('total = 0').click();
    await drawnBehind('Count what things cost');
    await workbench.screenshot(name);
    await line.hover({ position: { x: 60, y: 8 } });
    const hover = await workbench.saw(page().locator('.monaco-hover:visible', { hasText: 'Ada Lovelace' }));
    assert.match(await hover.innerText(), /Merge the new taxes/);
    await workbench.screenshot(name.replace('vscode', 'vscode-hover'));
  });
}

test('a row of the history shows what it changed', async () => {
  workbench = await Workbench.open(place, shop, { settings: STILL });
  await workbench.show(SOURCE);
  await (await workbench.saw(page().locator('.codelens-decoration a', { hasText: 'events' }))).click();
  const row = page().locator('.monaco-list-row', { hasText: 'Follow the new tax law' });
  await (await workbench.saw(row)).click();
  await workbench.saw(page().locator('.monaco-diff-editor .line-insert, .monaco-diff-editor .char-insert'));
  await workbench.saw(page().locator('.monaco-diff-editor .view-line', { hasText: 'TAX = 0.21' }));
  await workbench.screenshot('vscode-diff.png');
});

test('an edit that no plan covers is told so before the commit', async () => {
  workbench = await Workbench.open(place, shop);
  await workbench.show('README.md');
  await workbench.saw(page().locator('.codelens-decoration'));
  await page().locator('.monaco-editor .view-lines').first().click();
  await page().keyboard.press('Control+End');
  await page().keyboard.type('An edit without a plan.');
  await page().keyboard.press('Control+s');
  await workbench.saw(page().locator('.monaco-editor .squiggly-info, .monaco-editor .squiggly-warning'));
  await workbench.command('View: Focus Problems');
  await workbench.saw(page().locator('.markers-panel .monaco-list-row', { hasText: 'plan' }));
});

test('a commit in a terminal is seen within a second', async () => {
  workbench = await Workbench.open(place, shop);
  await workbench.show('README.md');
  await workbench.saw(status('1 open'));
  const waits = [];
  for (const count of [2, 3, 4]) {
    write('README.md', `${read('README.md')}More.\n`);
    place.run('git', ['commit', '--no-verify', '-qam', 'Say more'], { cwd: shop, env: { ...place.environment, SAGE_SYNC: '1' } });
    const committed = Date.now();
    await workbench.saw(status(`${count} open`));
    waits.push(Date.now() - committed);
  }
  const [, median] = waits.toSorted((one, other) => one - other);
  assert.ok(median < 1_000, `it took ${waits.join(', ')} ms`);
});

test('a chronicle that was changed by hand says so on its line, and a quick fix restores it', async () => {
  const before = read(`${SOURCE}.sage`);
  workbench = await Workbench.open(place, shop);
  await workbench.show(`${SOURCE}.sage`);
  await workbench.saw(page().locator('.statusbar-item', { hasText: 'Sage chronicle' }));
  await page().locator('.monaco-editor .view-lines').first().click();
  await page().keyboard.press('Control+Home');
  await page().keyboard.type(' ');
  await page().keyboard.press('Delete');
  await page().keyboard.press('Control+s');
  await workbench.saw(squiggle('error'));
  await workbench.screenshot('vscode-chronicle.png');
  await page().keyboard.press('Control+.');
  const fix = page().locator('.action-widget .monaco-list-row', { hasText: /restore/i });
  await (await workbench.saw(fix)).click();
  await squiggle('error').first().waitFor({ state: 'detached', timeout: SOON_MS });
  assert.equal(read(`${SOURCE}.sage`), before);
});

test('somebody answers for a change at its line, and it is open no more', async () => {
  workbench = await Workbench.open(place, shop);
  await workbench.show(SOURCE);
  await workbench.saw(status('1 open'));
  await (await workbench.saw(page().locator('.codelens-decoration a', { hasText: 'answer for it' }))).click();
  await workbench.answer('the two taxes were agreed on the phone');
  await status('1 open').waitFor({ state: 'detached', timeout: SOON_MS });
  assert.match(read(`${SOURCE}.sage`), /agreed on the phone/);
  await squiggle('warning').first().waitFor({ state: 'detached', timeout: SOON_MS });
});

test('a plan is drafted, approved and used', async () => {
  workbench = await Workbench.open(place, shop);
  await workbench.show('README.md');
  await workbench.saw(status('1 open'));
  await workbench.command('Sage: Draft a Plan…');
  await workbench.answer('Say how to pay');
  await workbench.answer('README.md');
  await page().getByRole('button', { name: 'Approve…' }).click();
  await workbench.answer('customers ask');
  await workbench.command('Sage: Use a Plan for What Follows…');
  await (await workbench.saw(page().locator('.quick-input-list .monaco-list-row', { hasText: 'Say how to pay' }))).click();
  await workbench.saw(page().locator('.statusbar-item .codicon-target'));
  await workbench.command('Sage: Focus on Plans View');
  await workbench.saw(page().locator('.monaco-list-row', { hasText: 'in use' }));
  await workbench.screenshot('vscode-plans.png');
});

test('in a workspace that is not trusted nothing is run', async () => {
  const witness = join(place.path, 'ran');
  const decoy = join(shop, '.venv/bin/sage-git');
  mkdirSync(join(shop, '.venv/bin'), { recursive: true });
  writeFileSync(decoy, `#!/bin/sh\ntouch '${witness}.decoy'\n`);
  const wrapper = join(place.path, 'bin/sage-git');
  mkdirSync(join(place.path, 'bin'));
  writeFileSync(wrapper, `#!/bin/sh\ntouch '${witness}'\nexec '${place.program('sage-git')}' "$@"\n`);
  for (const file of [decoy, wrapper]) chmodSync(file, 0o755);
  mkdirSync(join(shop, '.vscode'));
  write('.vscode/settings.json', JSON.stringify({ 'sageGit.path': decoy }));
  place.prefer(join(place.path, 'bin'));
  workbench = await Workbench.open(place, shop, {
    settings: { 'security.workspace.trust.enabled': true, 'security.workspace.trust.startupPrompt': 'never' },
  });
  await workbench.show(SOURCE);
  await workbench.saw(page().locator('.statusbar-item .codicon-workspace-untrusted'));
  await workbench.command('Sage: Restart the Language Server');
  await page().locator('.activitybar a[aria-label^="Sage"]').click();
  await workbench.saw(page().getByText('Nothing is run in a workspace that you have not trusted'));
  assert.ok(!existsSync(witness) && !existsSync(`${witness}.decoy`));
});

test('a workspace that is trusted afterwards is told of as any other, at once', async () => {
  workbench = await Workbench.open(place, shop, {
    settings: { 'security.workspace.trust.enabled': true, 'security.workspace.trust.startupPrompt': 'never' },
  });
  await workbench.show(SOURCE);
  await workbench.saw(page().locator('.statusbar-item .codicon-workspace-untrusted'));
  await workbench.command('Workspaces: Manage Workspace Trust');
  await (await workbench.saw(page().locator('.workspace-trust-editor .monaco-button', { hasText: 'Trust' }))).click();
  await workbench.saw(status('1 open'));
  await page().keyboard.press('Escape');
  await workbench.saw(squiggle('warning'));
});

test('each folder of a workspace has its own record', async () => {
  const market = place.demo('market');
  writeFileSync(join(market, 'README.md'), 'Another one.\n');
  place.run('git', ['commit', '--no-verify', '-qam', 'Say less'], { cwd: market, env: { ...place.environment, SAGE_SYNC: '1' } });
  workbench = await Workbench.open(place, place.workspace(shop, market));
  await workbench.show(join(shop, SOURCE));
  await workbench.saw(status('1 open'));
  await workbench.show(join(market, 'README.md'));
  await workbench.saw(status('2 open'));
  await workbench.command('Sage: Show History of This File');
  await workbench.saw(page().locator('.monaco-list-row', { hasText: 'Say less' }));
});

test('a plan is denied in the view', async () => {
  place.run('sage-git', ['plan', 'draft', '--id', 'give-away', '--summary', 'Give it all away', '--scope', '*'], { cwd: shop });
  workbench = await Workbench.open(place, shop);
  await workbench.show(SOURCE);
  await workbench.saw(status('1 open'));
  await workbench.command('Sage: Focus on Plans View');
  const row = await workbench.saw(page().locator('.monaco-list-row', { hasText: 'give-away' }));
  await row.hover();
  await row.getByRole('button', { name: 'Deny a Plan…' }).click();
  await workbench.answer('we live on it');
  await workbench.saw(page().locator('.monaco-list-row', { hasText: /give-away.*denied/ }));
  assert.match(place.run('sage-git', ['plan', 'show', 'give-away'], { cwd: shop }), /we live on it/);
});

test('the first steps open, and lead somewhere', async () => {
  workbench = await Workbench.open(place, shop);
  await workbench.saw(status('1 open'));
  await workbench.command('Sage: First Steps');
  await workbench.saw(page().locator('.gettingStartedContainer', { hasText: 'First steps with Sage' }));
  const step = page().locator('.getting-started-step', { hasText: "Read a line's history" });
  await (await workbench.saw(step)).click();
  await (await workbench.saw(step.getByText('Show History of This File'))).click();
  await workbench.saw(page().getByText('Open a file to see what happened to it.'));
});

test('what a chronicle says is shown as text: no link, no image, no icon, and nothing is fetched', async () => {
  const hostile = '![p](https://beacon.invalid/p.png) [go](command:workbench.action.closeWindow) <img src=x> $(alert)';
  write(SOURCE, `${read(SOURCE)}LAST = True\n`);
  place.run('git', ['commit', '--no-verify', '-qam', hostile], { cwd: shop, env: { ...place.environment, SAGE_SYNC: '1' } });
  workbench = await Workbench.open(place, shop);
  const fetched = [];
  page().on('request', (request) => fetched.push(request.url()));
  await workbench.show(SOURCE);
  await (await workbench.saw(page().locator('.codelens-decoration a', { hasText: 'events' }))).click();
  const row = await workbench.saw(page().locator('.monaco-list-row', { hasText: 'beacon.invalid' }));
  assert.equal(await row.locator('.label-name .codicon, a[href]').count(), 0);
  await workbench.line('LAST = True').hover({ position: { x: 20, y: 8 } });
  const hover = await workbench.saw(page().locator('.monaco-hover:visible', { hasText: '[go](command:' }));
  assert.equal(await hover.locator('img, a[data-href^="command:workbench"], .codicon-alert').count(), 0);
  assert.deepEqual(fetched.filter((url) => url.includes('beacon')), []);
});

test('a program that is not there is told with what to do', async () => {
  workbench = await Workbench.open(place, shop, { settings: { 'sageGit.path': '/nowhere/sage-git' } });
  await workbench.show(SOURCE);
  const message = page().locator('.notification-toast', { hasText: 'sageGit.path names nothing that can be run' });
  await (await workbench.saw(message)).getByRole('button', { name: 'Choose It…' }).waitFor();
  await workbench.saw(status('sage-git not found'));
});

test('chronicles are nested under their sources, and coloured', async () => {
  workbench = await Workbench.open(place, shop);
  await workbench.show(SOURCE);
  const row = page().locator('.explorer-folders-view .monaco-list-row', { hasText: 'billing.py' });
  await (await workbench.saw(row)).locator('.monaco-tl-twistie').click();
  await workbench.saw(page().locator('.explorer-folders-view .monaco-list-row', { hasText: 'billing.py.sage' }));
});
