-- What the scenarios beside this file share. Each opens nothing itself: the source is on Neovim's command line.
local steps = {}

-- Go on once `look` finds something, and give it.
function steps.wait(what, look)
  local found
  local came = vim.wait(20000, function()
    found = look()
    return found ~= nil and found ~= false
  end, 20)
  if not came then error('waited in vain for ' .. what) end
  return found
end

function steps.diagnostic(code)
  return steps.wait('the diagnostic ' .. code, function()
    for _, diagnostic in ipairs(vim.diagnostic.get(0)) do
      if diagnostic.code == code then return diagnostic end
    end
  end)
end

function steps.no_diagnostics()
  steps.wait('no diagnostics', function() return #vim.diagnostic.get(0) == 0 end)
end

-- The lines of the float that hovering opens.
function steps.hover()
  vim.lsp.buf.hover()
  return steps.wait('a hover', function()
    for _, window in ipairs(vim.api.nvim_list_wins()) do
      if vim.api.nvim_win_get_config(window).relative ~= '' then
        return vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, false)
      end
    end
  end)
end

-- Do the action that `title` matches, as if it had been chosen.
function steps.act(title)
  local seen = {}
  vim.lsp.buf.code_action({
    apply = true,
    filter = function(action)
      seen[#seen + 1] = action.title
      return action.title:lower():find(title) ~= nil
    end,
  })
  steps.wait('an action like ' .. title, function() return #seen > 0 end)
  return seen
end

function steps.run(scenario)
  local ran, seen = xpcall(scenario, debug.traceback)
  if ran then
    io.stdout:write(vim.json.encode(seen))
  else
    io.stderr:write(seen, '\n', vim.lsp.log.get_filename(), '\n')
  end
  vim.cmd(ran and 'qall!' or 'cquit!')
end

return steps
