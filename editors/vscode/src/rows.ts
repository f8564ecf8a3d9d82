/** A view of the side bar: rows that the server is asked for, and asked for again whenever anything changed. */

import * as vscode from 'vscode';
import type { Server } from './server.ts';

export abstract class Rows<Row> implements vscode.TreeDataProvider<Row>, vscode.Disposable {
  protected readonly server: Server;
  protected readonly view: vscode.TreeView<Row>;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #subscriptions: vscode.Disposable[];

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(server: Server, name: string) {
    this.server = server;
    this.view = vscode.window.createTreeView(name, { treeDataProvider: this });
    this.#subscriptions = [this.view, server.onDidChange(() => this.refresh())];
  }

  abstract getChildren(): Promise<Row[]>;

  abstract getTreeItem(row: Row): vscode.TreeItem;

  dispose(): void {
    vscode.Disposable.from(...this.#subscriptions, this.#changed).dispose();
  }

  protected refresh(): void {
    this.#changed.fire();
  }

  /** Ends with the view. */
  protected keep(subscription: vscode.Disposable): void {
    this.#subscriptions.push(subscription);
  }
}
