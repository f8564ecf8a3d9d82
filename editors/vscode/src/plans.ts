/** The plans: which are in force, which wait for a decision. What can be decided stands beside each. */

import * as vscode from 'vscode';
import type { Plan } from './protocol.ts';
import { subject } from './records.ts';
import { Rows } from './rows.ts';
import type { Server } from './server.ts';
import { plain } from './text.ts';

const LOOKS: Readonly<Record<Plan['state'], readonly [icon: string, colour?: string]>> = {
  drafted: ['circle-large-outline'],
  approved: ['pass-filled', 'charts.green'],
  unsafe: ['unverified', 'list.warningForeground'],
  denied: ['circle-slash', 'list.errorForeground'],
  completed: ['pass', 'disabledForeground'],
  expired: ['history', 'disabledForeground'],
};

/** A plan, and what it was asked for. */
type Row = Plan & { readonly uri: string };

export class Plans extends Rows<Row> {
  constructor(server: Server) {
    super(server, 'sageGit.plans');
  }

  async getChildren(): Promise<Row[]> {
    const uri = subject()?.toString();
    if (!uri) return [];
    const plans = await this.server.ask('sage.plans', { uri }).catch(() => undefined);
    return plans?.map((plan) => ({ ...plan, uri })) ?? [];
  }

  getTreeItem(plan: Row): vscode.TreeItem {
    const [icon, colour] = LOOKS[plan.state];
    const item = new vscode.TreeItem(plain(plan.planId));
    item.id = plan.planId;
    const words = [plan.inUse && 'in use', plan.state !== 'approved' && plan.state, plain(plan.summary)];
    item.description = words.filter(Boolean).join(' · ');
    item.iconPath = plan.inUse
      ? new vscode.ThemeIcon('target', new vscode.ThemeColor('charts.green'))
      : new vscode.ThemeIcon(icon, colour ? new vscode.ThemeColor(colour) : undefined);
    item.tooltip = told(plan);
    item.contextValue = `sageGit.plan.${plan.state}`;
    return item;
  }
}

function told(plan: Plan): vscode.MarkdownString {
  const tooltip = new vscode.MarkdownString();
  tooltip.appendText(`${plain(plan.summary)}\n\n`);
  for (const step of plan.steps ?? []) tooltip.appendText(`• ${plain(step)}\n`);
  tooltip.appendText(`\nfor ${plan.scope.map(plain).join(', ') || 'every file'}\n`);
  if (plan.expiresAt) tooltip.appendText(`\nuntil ${new Date(plan.expiresAt).toLocaleString()}\n`);
  return tooltip;
}
