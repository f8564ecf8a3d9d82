//! Starts `sage-git lsp`, as the user's PATH has it; nothing is downloaded, and nothing of the worktree is run.

use zed_extension_api::{self as zed, Command, LanguageServerId, Result, Worktree};

struct SageGit;

impl zed::Extension for SageGit {
    fn new() -> Self {
        Self
    }

    fn language_server_command(&mut self, _id: &LanguageServerId, worktree: &Worktree) -> Result<Command> {
        let command = worktree
            .which("sage-git")
            .ok_or("sage-git is not on PATH. Install it: pipx install 'sage-git[lsp]'")?;
        Ok(Command { command, args: vec!["lsp".into()], env: vec![] })
    }
}

zed::register_extension!(SageGit);
