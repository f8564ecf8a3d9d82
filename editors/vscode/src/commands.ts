/**
 * What a person can ask for. The palette, the views, and the server's own lenses and actions all come through here: what
 * is missing is asked for, the server does it, and what it answers is shown.
 */

import * as vscode from 'vscode';
import type { Differences } from './differences.ts';
import type { Answer, Argument, Command, Happening, OpenEdit, Plan } from './protocol.ts';
import { subject } from './records.ts';
import type { Server } from './server.ts';
import { ago, plain } from './text.ts';

/** What an element of a view, a lens or nobody brings along. */
type Given = Partial<OpenEdit & Plan & Happening & { uri: string; eventIds: readonly string[]; justification: string }>;

export class Commands {
  readonly #server: Server;
  readonly #differences: Differences;

  constructor(server: Server, differences: Differences) {
    this.#server = server;
    this.#differences = differences;
  }

  register(): vscode.Disposable {
    const commands: Record<string, (given?: Given) => unknown> = {
      showHistory: () => vscode.commands.executeCommand('sageGit.history.focus'),
      openChronicle: (given) => this.openChronicle(given),
      showDiff: (given) => this.showDiff(given),
      reconcile: (given) => this.reconcile(given),
      planDraft: (given) => this.draft(given),
      planApprove: (given) => this.decide('sage.planApprove', given),
      planDeny: (given) => this.decide('sage.planDeny', given),
      planUse: (given) => this.use(given),
      restoreSidecar: (given) => this.#ask('sage.restoreSidecar', given, {}),
      refresh: (given) => this.#ask('sage.refresh', given, {}),
      restart: () => this.#server.restart(),
      showLog: () => this.#server.showLog(),
      toggleAnnotation,
      choosePath,
      init,
      walkthrough: () => vscode.commands.executeCommand('workbench.action.openWalkthrough', 'sage-git.sage-git#start', false),
    };
    const registered = Object.entries(commands).map(([name, run]) => vscode.commands.registerCommand(`sageGit.${name}`, run));
    return vscode.Disposable.from(...registered);
  }

  /** Carry out one of the server's own commands, as its lenses and actions name them; undefined if it is not ours. */
  run(command: string, given: Given): unknown {
    switch (command) {
      case 'sage.openChronicle':
        return this.openChronicle(given);
      case 'sage.showDiff':
        return this.showDiff(given);
      case 'sage.reconcile':
        return this.reconcile(given);
      case 'sage.planDraft':
        return this.draft(given);
      case 'sage.planApprove':
      case 'sage.planDeny':
        return this.decide(command, given);
      case 'sage.planUse':
        return this.use(given);
      case 'sage.history':
      case 'sage.status':
      case 'sage.plans':
        return vscode.commands.executeCommand(`sageGit.${command === 'sage.history' ? 'history' : 'plans'}.focus`);
      default:
        return undefined;
    }
  }

  async openChronicle(given?: Given): Promise<void> {
    const place = await this.#ask('sage.openChronicle', given, {});
    if (!place) return;
    const line = place.line ?? 0;
    await vscode.window.showTextDocument(vscode.Uri.parse(place.uri, true), { selection: new vscode.Range(line, 0, line, 0) });
  }

  async showDiff(given?: Given): Promise<void> {
    if (!given?.eventId) return;
    const difference = await this.#ask('sage.showDiff', given, { eventId: given.eventId });
    if (difference) await this.#differences.show(given.eventId, difference);
  }

  async reconcile(given?: Given): Promise<void> {
    const eventId = given?.eventId ?? (await this.#chosenEdit());
    const eventIds = given?.eventIds ?? (eventId ? [eventId] : []);
    if (!eventIds.length) return;
    const justification = given?.justification ?? (await asked('Why is this change right?', 'It stays in the record.'));
    if (!justification) return;
    const answer = await this.#ask('sage.reconcile', given, { eventIds, justification });
    if (answer) vscode.window.setStatusBarMessage('$(comment) answered', 4000);
  }

  async draft(given?: Given): Promise<void> {
    const summary = given?.summary ?? (await asked('What is to be done?', 'In one sentence, as for a commit.'));
    if (!summary) return;
    const here = subject();
    const scope = given?.scope?.join(' ') ?? (here ? vscode.workspace.asRelativePath(here, false) : '');
    const files = await asked('Which files may it change?', 'Patterns as in .gitignore, with spaces between them.', scope);
    if (!files) return;
    const plan = await this.#ask('sage.planDraft', given, { summary, scope: files.split(/\s+/) });
    if (!plan) return;
    const answer = await vscode.window.showInformationMessage(`Drafted ${plain(plan.planId)}.`, 'Approve…');
    if (answer) await this.decide('sage.planApprove', { ...given, planId: plan.planId });
  }

  async decide(command: 'sage.planApprove' | 'sage.planDeny', given?: Given): Promise<void> {
    const isApproval = command === 'sage.planApprove';
    const states: Plan['state'][] = isApproval ? ['drafted', 'denied', 'expired'] : ['drafted', 'approved', 'unsafe'];
    const planId = given?.planId ?? (await this.#chosenPlan(isApproval ? 'Approve which plan?' : 'Deny which plan?', states));
    if (!planId) return;
    const question = `Why ${isApproval ? 'approve' : 'deny'} ${plain(planId)}?`;
    const justification = given?.justification ?? (await asked(question, 'It stays in the record.'));
    if (justification) await this.#ask(command, given, { planId, justification });
  }

  async use(given?: Given): Promise<void> {
    const planId = given?.planId ?? (await this.#chosenPlan('Use which plan for what follows?', ['approved', 'unsafe']));
    if (planId) await this.#ask('sage.planUse', given, { planId });
  }

  /** The server's answer; what went wrong is said as the server says it. */
  async #ask<C extends Command>(command: C, given: Given | undefined, argument: Omit<Argument<C>, 'uri'>): Promise<Answer<C> | undefined> {
    const uri = given?.uri ?? subject()?.toString();
    if (!uri) return undefined;
    try {
      return await this.#server.ask(command, { ...argument, uri } as Argument<C>);
    } catch (error) {
      void vscode.window.showErrorMessage(plain(error instanceof Error ? error.message : String(error)));
      return undefined;
    }
  }

  async #chosenEdit(): Promise<string | undefined> {
    const edits = (await this.#ask('sage.status', undefined, {}))?.openRogueEdits ?? [];
    const items = edits.map((edit) => ({
      label: plain(edit.filePath),
      description: edit.lines?.length ? `line ${edit.lines[0]?.[0]}` : '',
      detail: `commit ${edit.commit.slice(0, 8)}`,
      id: edit.eventId,
    }));
    return (await picked(items, 'Answer for which change?', 'Everything is planned or answered for.'))?.id;
  }

  async #chosenPlan(question: string, states: readonly Plan['state'][]): Promise<string | undefined> {
    const plans = (await this.#ask('sage.plans', undefined, {})) ?? [];
    const items = plans
      .filter((plan) => states.includes(plan.state))
      .map((plan) => ({
        label: plain(plan.planId),
        description: plan.expiresAt ? `${plan.state}, until ${ago(plan.expiresAt, Date.now())}` : plan.state,
        detail: plain(plan.summary),
        id: plan.planId,
      }));
    return (await picked(items, question, 'There is no such plan.'))?.id;
  }
}

async function picked<T extends vscode.QuickPickItem>(items: T[], title: string, none: string): Promise<T | undefined> {
  if (items.length) return vscode.window.showQuickPick(items, { title, matchOnDescription: true, matchOnDetail: true });
  void vscode.window.showInformationMessage(none);
  return undefined;
}

async function asked(title: string, prompt: string, value = ''): Promise<string | undefined> {
  const answer = await vscode.window.showInputBox({ title, prompt, value, ignoreFocusOut: true });
  return answer?.trim() || undefined;
}

async function toggleAnnotation(): Promise<void> {
  const settings = vscode.workspace.getConfiguration('sageGit');
  const isShown = settings.get('annotation.enabled', true);
  await settings.update('annotation.enabled', !isShown, vscode.ConfigurationTarget.Global);
}

async function choosePath(): Promise<void> {
  const chosen = await vscode.window.showOpenDialog({ title: 'The sage-git program', openLabel: 'Use', canSelectMany: false });
  const path = chosen?.[0]?.fsPath;
  if (path) await vscode.workspace.getConfiguration('sageGit').update('path', path, vscode.ConfigurationTarget.Global);
}

/** The command is typed, and left for the person to enter: it makes a commit. */
function init(): void {
  const terminal = vscode.window.createTerminal('sage-git');
  terminal.show();
  terminal.sendText('sage-git init', false);
}
