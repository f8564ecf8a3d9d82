-- The language server of sage-git. It tells of every kind of file, beside the servers that know its language.
-- What a person has to say is asked here; everything else is the server's.

local function ask(prompt, command, argument, key, context)
  if argument[key] then
    return context.client:exec_cmd({ command = command, arguments = { argument } }, { bufnr = context.bufnr })
  end
  vim.ui.input({ prompt = prompt }, function(answer)
    if answer and answer ~= '' then
      argument = vim.tbl_extend('force', argument, { [key] = answer })
      context.client:request('workspace/executeCommand', { command = command, arguments = { argument } }, function(err)
        if err then vim.notify(err.message, vim.log.levels.ERROR) end
      end)
    end
  end)
end

local function asking(prompt, key)
  return function(command, context)
    context.client = vim.lsp.get_client_by_id(context.client_id)
    ask(prompt, command.command, command.arguments[1], key, context)
  end
end

local function answered(context, command, show)
  local client = vim.lsp.get_client_by_id(context.client_id)
  client:request('workspace/executeCommand', { command = command.command, arguments = command.arguments }, function(err, answer)
    if err then return vim.notify(err.message, vim.log.levels.ERROR) end
    if answer and answer ~= vim.NIL then show(answer) end
  end)
end

-- The file's history, newest first, in the location list.
local function history(command, context)
  answered(context, command, function(rows)
    local file = vim.uri_to_fname(command.arguments[1].uri)
    local items = vim.tbl_map(function(row)
      local words = { row.timestamp:sub(1, 10), row.actor, row.label, row.subject, row.open and 'open' or nil }
      return { filename = file, lnum = 1, text = (table.concat(words, '  '):gsub('%c', ' ')) }
    end, rows)
    vim.fn.setloclist(0, {}, ' ', { title = 'History of ' .. vim.fn.fnamemodify(file, ':~:.'), items = items })
    vim.cmd.lopen()
  end)
end

-- Both sides of what one event did, in a tab of their own.
local function difference(command, context)
  answered(context, command, function(sides)
    vim.cmd.tabnew()
    for _, side in ipairs({ 'before', 'after' }) do
      if side == 'after' then vim.cmd.vnew() end
      local text = sides[side] ~= vim.NIL and sides[side] or ''
      vim.api.nvim_buf_set_lines(0, 0, -1, false, vim.split(text, '\n', { plain = true }))
      vim.bo.buftype, vim.bo.bufhidden, vim.bo.modifiable = 'nofile', 'wipe', false
      vim.bo.filetype = vim.filetype.match({ filename = sides.filePath }) or ''
      vim.cmd.diffthis()
    end
  end)
end

---@type vim.lsp.Config
return {
  cmd = { 'sage-git', 'lsp' },
  root_markers = { '.sage/config.toml' },
  workspace_required = true,
  init_options = { showsDiffs = true, hearsChanges = true },
  -- Neovim shows Markdown's escapes as they are written.
  capabilities = { textDocument = { hover = { contentFormat = { 'plaintext' } } } },
  commands = {
    ['sage.reconcile'] = asking('Why is this change right? ', 'justification'),
    ['sage.planDraft'] = asking('What is to be done? ', 'summary'),
    ['sage.planApprove'] = asking('Why approve it? ', 'justification'),
    ['sage.planDeny'] = asking('Why deny it? ', 'justification'),
    ['sage.history'] = history,
    ['sage.showDiff'] = difference,
  },
  handlers = {
    ['sage/changed'] = function() vim.lsp.codelens.refresh() end,
  },
  on_attach = function(_, buffer)
    vim.lsp.inlay_hint.enable(true, { bufnr = buffer })
    vim.lsp.codelens.refresh({ bufnr = buffer })
    vim.api.nvim_create_autocmd({ 'BufEnter', 'BufWritePost', 'InsertLeave' }, {
      buffer = buffer,
      group = vim.api.nvim_create_augroup('sage-git-' .. buffer, { clear = true }),
      callback = function() vim.lsp.codelens.refresh({ bufnr = buffer }) end,
    })
  end,
}
