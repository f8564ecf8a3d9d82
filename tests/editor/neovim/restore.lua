-- A chronicle is changed by hand, saved, and restored.
local steps = dofile(vim.env.STEPS)

steps.run(function()
  local type = vim.bo.filetype
  vim.cmd([[silent 2substitute/"timestamp":"20/"timestamp":"19/]])
  vim.cmd.write()
  local broken = steps.wait('a finding', function() return vim.diagnostic.get(0)[1] end)
  vim.api.nvim_win_set_cursor(0, { broken.lnum + 1, 0 })
  local actions = steps.act('restore')
  steps.wait('the file as it was', function()
    vim.cmd('silent checktime')
    return vim.fn.search('"timestamp":"19', 'nw') == 0
  end)
  steps.no_diagnostics()
  return { filetype = type, line = broken.lnum, message = broken.message, actions = actions }
end)
