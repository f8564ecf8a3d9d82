/** Puts the parts together and starts the server when it may and should be. Each part is a module of its own. */

import * as vscode from 'vscode';
import { Annotation } from './annotation.ts';
import { Commands } from './commands.ts';
import { Differences } from './differences.ts';
import { History } from './history.ts';
import { OpenEdits } from './open.ts';
import { Plans } from './plans.ts';
import { Server } from './server.ts';
import { StatusBar } from './status.ts';

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const server: Server = new Server((name, args, next) => {
    const [given] = args;
    const isOurs = name.startsWith('sage.') && typeof given === 'object' && given !== null;
    return (isOurs ? commands.run(name, given) : undefined) ?? next(name, args);
  });
  const differences = new Differences();
  const commands = new Commands(server, differences);
  const config = vscode.workspace.createFileSystemWatcher('**/.sage/config.toml', false, true, true);
  context.subscriptions.push(
    server,
    differences,
    commands.register(),
    new StatusBar(server),
    new Annotation(server),
    new History(server),
    new OpenEdits(server),
    new Plans(server),
    config,
    config.onDidCreate(() => server.start()),
    vscode.workspace.onDidGrantWorkspaceTrust(() => server.start()),
    vscode.workspace.onDidOpenTextDocument(() => server.start()),
    vscode.workspace.onDidChangeWorkspaceFolders(() => server.start()),
    vscode.extensions.onDidChange(() => server.start()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('sageGit.path')) void server.restart();
    }),
  );
  await server.start();
}
