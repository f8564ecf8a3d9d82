/** The status bar: the plan that commits will name, and how many changes are open. Silent where no record is kept. */

import * as vscode from 'vscode';
import type { Status } from './protocol.ts';
import { subject } from './records.ts';
import type { Condition, Server } from './server.ts';
import { counted, plain, shortened } from './text.ts';

const WAITING: Partial<Record<Condition, readonly [text: string, tooltip: string, command: string]>> = {
  untrusted: ['$(workspace-untrusted) Sage', 'Nothing is run before you trust this workspace', 'workbench.trust.manage'],
  missing: ['$(warning) sage-git not found', 'Choose the sage-git program', 'sageGit.choosePath'],
  stopped: ['$(error) Sage', 'The language server has stopped: start it again', 'sageGit.restart'],
  starting: ['$(loading~spin) Sage', 'Reading the record', 'sageGit.showLog'],
};

export class StatusBar implements vscode.Disposable {
  readonly #server: Server;
  readonly #item = vscode.window.createStatusBarItem('sageGit', vscode.StatusBarAlignment.Left, 40);
  readonly #subscriptions: vscode.Disposable[];

  constructor(server: Server) {
    this.#server = server;
    this.#item.name = 'Sage';
    this.#subscriptions = [
      server.onDidChange(() => void this.#update()),
      vscode.window.onDidChangeActiveTextEditor(() => void this.#update()),
    ];
  }

  dispose(): void {
    this.#item.dispose();
    vscode.Disposable.from(...this.#subscriptions).dispose();
  }

  async #update(): Promise<void> {
    const waiting = WAITING[this.#server.condition];
    if (waiting) {
      [this.#item.text, this.#item.tooltip, this.#item.command] = waiting;
      this.#item.backgroundColor = undefined;
      return this.#item.show();
    }
    const uri = subject();
    const status = uri && (await this.#server.ask('sage.status', { uri: uri.toString() }).catch(() => undefined));
    if (!status) return this.#item.hide();
    this.#item.text = [planned(status), open(status), recording(status)].filter(Boolean).join('  ');
    this.#item.tooltip = told(status);
    this.#item.command = status.openRogueEdits.length ? 'sageGit.open.focus' : 'sageGit.plans.focus';
    this.#item.backgroundColor = status.halts.length
      ? new vscode.ThemeColor('statusBarItem.warningBackground')
      : undefined;
    this.#item.show();
  }
}

function planned({ plansInForce }: Status): string {
  const inUse = plansInForce.find((plan) => plan.inUse);
  if (inUse) return `$(target) ${shortened(plain(inUse.planId), 32)}`;
  return plansInForce.length ? `$(checklist) ${counted(plansInForce.length, 'plan')}` : '$(checklist) no plan';
}

function open({ openRogueEdits }: Status): string {
  return openRogueEdits.length ? `$(warning) ${openRogueEdits.length} open` : '';
}

function recording(status: Status): string {
  return status.recording === 'disabled' ? '$(debug-disconnect) hooks are off' : '';
}

function told(status: Status): vscode.MarkdownString {
  const tooltip = new vscode.MarkdownString(undefined, true);
  for (const plan of status.plansInForce) {
    tooltip.appendMarkdown(plan.inUse ? '$(target) ' : '$(check) ').appendText(`${plain(plan.planId)}: ${plain(plan.summary)}\n`);
  }
  if (!status.plansInForce.length) tooltip.appendText('No plan is in force.\n');
  const edits = counted(status.openRogueEdits.length, 'unplanned change');
  tooltip.appendMarkdown('\n\n').appendText(status.openRogueEdits.length ? `${edits} that nobody answered for` : 'Nothing is open');
  return tooltip;
}
