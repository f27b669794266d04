/** Owns the console's start. */
import { createRoot } from 'react-dom/client';

import { App } from './app.tsx';
import { askBeforeSteps } from './unsaved-work.ts';

askBeforeSteps();
const root = document.getElementById('root');
if (root !== null) createRoot(root).render(<App />);
