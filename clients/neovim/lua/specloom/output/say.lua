--- The line in which a person says something to an agent: a small window below the output. Refuses to wait: what was
--- sent is queued by the server, and shown as unheard until the agent's next turn.
local M = {}

---Opens the line below the current window; `<CR>` sends, `<C-c>` leaves.
---@param connection specloom.Connection
---@param agent string
function M.open(connection, agent)
  for _, window in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    local open = vim.b[vim.api.nvim_win_get_buf(window)]
    if open.specloom_root == connection.root and open.specloom_say == agent then
      vim.api.nvim_set_current_win(window)
      return vim.cmd("startinsert!")
    end
  end
  local above, buf = vim.api.nvim_get_current_win(), vim.api.nvim_create_buf(false, true)
  vim.bo[buf].bufhidden, vim.bo[buf].filetype, vim.bo[buf].modifiable = "wipe", "specloom-say", true
  vim.b[buf].specloom_root, vim.b[buf].specloom_say = connection.root, agent
  vim.cmd("rightbelow 2split")
  vim.api.nvim_win_set_buf(0, buf)
  local hint = ("Say to %s: <CR> sends, <C-c> leaves"):format((agent:gsub("%%", "%%%%")))
  require("specloom.page").dress({ winfixheight = true, wrap = true }, hint)
  local function leave()
    if vim.api.nvim_buf_is_valid(buf) then
      vim.cmd.stopinsert()
      vim.api.nvim_buf_delete(buf, { force = true })
      pcall(vim.api.nvim_set_current_win, above)
    end
  end
  local function send()
    local text = table.concat(vim.api.nvim_buf_get_lines(buf, 0, -1, false), "\n")
    if vim.trim(text) == "" then
      return
    end
    -- What is refused stays in the line, to be sent again.
    connection:order("specloom/agent/prompt", { agentId = agent, text = text }, leave)
  end
  vim.keymap.set({ "n", "i" }, "<CR>", send, { buffer = buf })
  vim.keymap.set({ "n", "i" }, "<C-c>", leave, { buffer = buf })
  vim.keymap.set("n", "q", leave, { buffer = buf })
  vim.cmd.startinsert()
end

return M
