--- The line in which a person says something to an agent: a small window below the output. Refuses to wait: what was
--- sent is queued by the server, and shown as unheard until the agent's next turn.
local M = {}

---@param connection specloom.Connection
---@param agent string
---@param text string
---@param on_sent? fun()
function M.send(connection, agent, text, on_sent)
  if vim.trim(text) == "" then
    return
  end
  connection:order("specloom/agent/prompt", { agentId = agent, text = text }, function(refused)
    if refused then
      vim.notify(refused, vim.log.levels.WARN, { title = "Specloom" })
    elseif on_sent then
      on_sent()
    end
  end)
end

---@param buf integer
local function close(buf)
  vim.cmd.stopinsert()
  for _, window in ipairs(vim.fn.win_findbuf(buf)) do
    vim.api.nvim_win_close(window, true)
  end
end

---Opens the line below the current window; `<CR>` sends, `<C-c>` leaves.
---@param connection specloom.Connection
---@param agent string
function M.open(connection, agent)
  local above = vim.api.nvim_get_current_win()
  local buf = vim.api.nvim_create_buf(false, true)
  vim.bo[buf].bufhidden, vim.bo[buf].filetype = "wipe", "specloom-say"
  vim.b[buf].specloom_root = connection.root
  vim.cmd("rightbelow 2split")
  vim.api.nvim_win_set_buf(0, buf)
  local options = { number = false, relativenumber = false, signcolumn = "no", winfixheight = true, wrap = true }
  for name, value in pairs(options) do
    vim.api.nvim_set_option_value(name, value, { scope = "local", win = 0 })
  end
  local line = (" Say to %s: <CR> sends, <C-c> leaves"):format((agent:gsub("%%", "%%%%")))
  vim.api.nvim_set_option_value("statusline", line, { scope = "local", win = 0 })
  local function leave()
    close(buf)
    if vim.api.nvim_win_is_valid(above) then
      vim.api.nvim_set_current_win(above)
    end
  end
  local function send()
    -- What is refused stays in the line, to be sent again.
    M.send(connection, agent, table.concat(vim.api.nvim_buf_get_lines(buf, 0, -1, false), "\n"), function()
      if vim.api.nvim_buf_is_valid(buf) then
        leave()
      end
    end)
  end
  vim.keymap.set({ "n", "i" }, "<CR>", send, { buffer = buf })
  vim.keymap.set({ "n", "i" }, "<C-c>", leave, { buffer = buf })
  vim.keymap.set("n", "q", leave, { buffer = buf })
  vim.cmd.startinsert()
end

return M
