-- One event a line, and none is ever rewritten.
vim.bo.syntax = 'json'
vim.bo.fixendofline = false
vim.wo.wrap = false
