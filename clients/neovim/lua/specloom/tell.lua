--- Messages to the person, each kept in full for `:Specloom status`. Refuses to stop anybody with a "Press ENTER".
local M = {}

local MOST = 50
local HIGHLIGHTS = { [vim.log.levels.WARN] = "WarningMsg", [vim.log.levels.ERROR] = "ErrorMsg" }

--- The newest messages in full, oldest first.
---@type string[]
M.kept = {}

---@param text string
---@param kept boolean in the history of messages
---@param group? string
local function show(text, kept, group)
  local line, more = text:gsub("%s*\n%s*", " "), "… (:Specloom status)"
  if vim.api.nvim_strwidth(line) > vim.v.echospace then
    line = vim.fn.strcharpart(line, 0, math.max(1, vim.v.echospace - vim.fn.strchars(more))) .. more
  end
  -- Two messages without a redraw between them would ask for ENTER.
  vim.cmd.redraw()
  vim.api.nvim_echo({ { line, group } }, kept, {})
end

--- Whether a function of `vim` is still Neovim's own, which a person may have replaced before or since.
---@param what function
---@return boolean
function M.is_stock(what)
  local source = debug.getinfo(what, "S").source
  return source:find("^=?%?$") ~= nil
    or vim.startswith(source, "@vim/")
    or vim.startswith(source, "@" .. vim.fs.normalize(vim.env.VIMRUNTIME) .. "/")
end

--- Tells; Neovim's own way of telling is given no more than a line, a person's own way the whole.
---@param text string
---@param level? integer by default that of information
function M.say(text, level)
  text = vim.startswith(text, "Specloom: ") and text or "Specloom: " .. text
  M.kept = vim.list_slice(M.kept, math.max(1, #M.kept - MOST + 2))
  table.insert(M.kept, text)
  local function now()
    show(text, true, HIGHLIGHTS[level])
  end
  if M.is_stock(vim.notify) and vim.fn.mode() == "c" then
    -- Nobody sees what is told below a command that is being typed.
    vim.api.nvim_create_autocmd("CmdlineLeave", { once = true, callback = vim.schedule_wrap(now) })
  elseif M.is_stock(vim.notify) then
    now()
  else
    vim.notify(text, level or vim.log.levels.INFO, { title = "Specloom" })
  end
end

---@param text string
function M.warn(text)
  M.say(text, vim.log.levels.WARN)
end

---@param text string
function M.error(text)
  M.say(text, vim.log.levels.ERROR)
end

--- A word on what was just done, gone with the next.
---@param text string
function M.echo(text)
  show("Specloom: " .. text, false)
end

return M
