/** The language server: found, started once it may be, asked. Parts of the extension listen to `onDidChange`. */

import { accessSync, constants, statSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import * as vscode from 'vscode';
import { CancellationToken, type ExecuteCommandSignature, LanguageClient, State, TransportKind } from 'vscode-languageclient/node';
import { Hinted } from './hinted.ts';
import { findProgram, type Search } from './program.ts';
import { type Answer, type Argument, CHANGED, type Command } from './protocol.ts';
import { isAnyRecorded } from './records.ts';

/** Waiting for trust, for a record, or for the program; or at work. */
export type Condition = 'untrusted' | 'idle' | 'missing' | 'starting' | 'running' | 'stopped';

/** Carries out a command that a lens, an action or a link of the server names. */
export type Run = (command: string, args: unknown[], next: ExecuteCommandSignature) => vscode.ProviderResult<unknown>;

export class Server implements vscode.Disposable {
  readonly #log = vscode.window.createOutputChannel('Sage', { log: true });
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #run: Run;
  #client: LanguageClient | undefined;
  #condition: Condition = 'idle';
  #hasComplained = false;

  readonly onDidChange = this.#changed.event;
  readonly hinted = new Hinted();

  constructor(run: Run) {
    this.#run = run;
  }

  get condition(): Condition {
    return this.#condition;
  }

  /** Start the server if it is needed, may be started, and can be found. */
  async start(): Promise<void> {
    if (this.#client) return;
    if (!vscode.workspace.isTrusted) return this.#become('untrusted');
    if (!isAnyRecorded()) return this.#become('idle');
    this.#become('starting');
    const found = await search();
    if (this.#client) return;
    if ('problem' in found) return this.#complain(found.problem);
    const client = this.#connect(found.program);
    this.#client = client;
    this.#log.info(`starting ${found.program} lsp`);
    try {
      await client.start();
    } catch (error) {
      this.#log.error(String(error));
      this.#become('stopped');
    }
  }

  async restart(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#hasComplained = false;
    await client?.dispose().catch(() => undefined);
    await this.start();
  }

  /** The server's answer; undefined if it does not run, has none, or the question was withdrawn. */
  async ask<C extends Command>(
    command: C,
    argument: Argument<C>,
    token: vscode.CancellationToken = CancellationToken.None,
  ): Promise<Answer<C> | undefined> {
    if (this.#condition !== 'running' || !this.#client) return undefined;
    const answer = await this.#client.sendRequest<Answer<C> | null>(
      'workspace/executeCommand',
      { command, arguments: [argument] },
      token,
    );
    return answer ?? undefined;
  }

  showLog(): void {
    this.#log.show();
  }

  dispose(): void {
    void this.#client?.dispose().catch(() => undefined);
    this.#changed.dispose();
    this.hinted.dispose();
    this.#log.dispose();
  }

  #connect(program: string): LanguageClient {
    const client = new LanguageClient(
      'sageGit',
      'Sage',
      // Not in the workspace: whatever lies there must not be found by being near.
      { command: program, args: ['lsp'], transport: TransportKind.stdio, options: { cwd: tmpdir() } },
      {
        documentSelector: [{ scheme: 'file' }],
        initializationOptions: {
          sageGit: vscode.workspace.getConfiguration('sageGit'),
          opensDocuments: true,
          showsDiffs: true,
          hearsChanges: true,
        },
        synchronize: { configurationSection: 'sageGit' },
        outputChannel: this.#log,
        markdown: { isTrusted: false, supportHtml: false },
        middleware: {
          executeCommand: this.#run,
          provideInlayHints: async (document, range, token, next) => {
            const hints = await next(document, range, token);
            this.hinted.note(document, hints ?? []);
            return hints;
          },
        },
      },
    );
    client.onNotification(CHANGED, () => this.#changed.fire());
    client.onDidChangeState(({ newState }) => {
      if (client !== this.#client) return;
      this.#become(newState === State.Running ? 'running' : newState === State.Starting ? 'starting' : 'stopped');
    });
    return client;
  }

  #become(condition: Condition): void {
    this.#condition = condition;
    void vscode.commands.executeCommand('setContext', 'sageGit.state', condition);
    this.#changed.fire();
  }

  async #complain(problem: string): Promise<void> {
    this.#become('missing');
    this.#log.warn(problem);
    if (this.#hasComplained) return;
    this.#hasComplained = true;
    const choose = 'Choose It…';
    const install = 'How to Install It';
    const answer = await vscode.window.showWarningMessage(problem, choose, install);
    if (answer === choose) await vscode.commands.executeCommand('sageGit.choosePath');
    if (answer === install) await vscode.commands.executeCommand('sageGit.walkthrough');
  }
}

async function search(): Promise<Search> {
  return findProgram({
    configured: vscode.workspace.getConfiguration('sageGit').get('path', ''),
    interpreter: await chosenInterpreter(),
    path: process.env['PATH'] ?? '',
    home: homedir(),
    windows: process.platform === 'win32',
    isProgram,
  });
}

/** The part of the Python extension's interface that is used here. */
interface PythonExtension {
  readonly environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
    resolveEnvironment(path: object): Promise<{ readonly executable: { readonly uri?: vscode.Uri } } | undefined>;
  };
}

async function chosenInterpreter(): Promise<string | undefined> {
  const python = vscode.extensions.getExtension<PythonExtension>('ms-python.python');
  if (!python?.isActive) return undefined;
  const { environments } = python.exports;
  const environment = await environments.resolveEnvironment(environments.getActiveEnvironmentPath());
  return environment?.executable.uri?.fsPath;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
