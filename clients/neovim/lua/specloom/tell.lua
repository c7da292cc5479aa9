--- Messages to the person, each kept in full for `:Specloom status`. Refuses to stop anybody with a "Press ENTER".
local M = {}

local MOST = 50
local HIGHLIGHTS = { [vim.log.levels.WARN] = "WarningMsg", [vim.log.levels.ERROR] = "ErrorMsg" }

--- The newest messages in full, oldest first.
---@type string[]
M.kept = {}

---@param text string
---@return string that fits where messages stand
local function fitted(text)
  local line = text:gsub("%s*\n%s*", " ")
  local room = vim.v.echospace
  if vim.fn.strdisplaywidth(line) <= room then
    return line
  end
  local more = "… (:Specloom status)"
  return vim.fn.strcharpart(line, 0, math.max(1, room - vim.fn.strchars(more))) .. more
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
---@param level? integer
local function tell(text, level)
  text = vim.startswith(text, "Specloom: ") and text or "Specloom: " .. text
  table.insert(M.kept, text)
  if #M.kept > MOST then
    table.remove(M.kept, 1)
  end
  if not M.is_stock(vim.notify) then
    return vim.notify(text, level or vim.log.levels.INFO, { title = "Specloom" })
  end
  -- Two messages without a redraw between them would ask for ENTER.
  vim.cmd.redraw()
  vim.api.nvim_echo({ { fitted(text), HIGHLIGHTS[level] } }, true, {})
end

---@param text string
function M.info(text)
  tell(text)
end

---@param text string
function M.warn(text)
  tell(text, vim.log.levels.WARN)
end

---@param text string
function M.error(text)
  tell(text, vim.log.levels.ERROR)
end

--- A word on what was just done, gone with the next.
---@param text string
function M.echo(text)
  vim.cmd.redraw()
  vim.api.nvim_echo({ { fitted("Specloom: " .. text) } }, false, {})
end

return M
